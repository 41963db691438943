"""Questions to a marketplace that has grown, and its sweep, asked without a server between."""

import asyncio
import json
from functools import partial

from benchmarks.hearing import TOGETHER
from benchmarks.serving import Serving
from benchmarks.taking import Bar, Figure, Measure, Sizes, Taken
from benchmarks.vast_filling import Vast

SWEPT = 20_000
QUESTIONS = ("unread", "waiting", "needs_reply", "rare", "common", "absent", "name")


async def take_questions(serving: Serving, sizes: Sizes) -> Taken:
    seller = Vast(**serving.ground.vast).many_id
    watch = serving.watch()
    printed = await run(serving, "benchmarks.vast_asking", str(seller))
    figures = json.loads(printed)
    return Taken({**figures, "slowest": max(figures.values())}, watch.end())


async def take_sweep(serving: Serving, sizes: Sizes) -> Taken:
    watch = serving.watch()
    found = json.loads(await run(serving, "benchmarks.vast_sweeping", str(SWEPT)))
    missing = max(SWEPT - found.pop("rows"), 0)
    return Taken(found, watch.end(), {"not swept": missing})


async def take_hearing(serving: Serving, sizes: Sizes) -> Taken:
    watch = serving.watch()
    return Taken(json.loads(await run(serving, "benchmarks.hearing")), watch.end())


async def run(serving: Serving, module: str, *arguments: str) -> str:
    ask = partial(serving.ground.run, module, *arguments, DATABASE_URL=serving.database_url)
    return await asyncio.to_thread(ask)


HEARING = Measure(
    name="hearing",
    title="CPU of a process that has nobody an event is for, by how many were stored together",
    contenders=("ours",),
    figures=tuple(Figure(f"hear_{n}", f"µs an event, {n} together", "{:.1f}") for n in TOGETHER),
    bars=(),
    take=take_hearing,
)

QUESTIONS_ASKED = Measure(
    name="questions",
    title="One question at a time to 1,000,000 messages, of somebody with 100,000 conversations",
    contenders=("ours_vast",),
    figures=tuple(Figure(name, f"{name}, ms", "{:.1f}") for name in QUESTIONS),
    bars=(Bar("ms of the slowest question", "slowest", "ours_vast", "", 50, 20, at_most=True),),
    take=take_questions,
)

SWEEP = Measure(
    name="sweep",
    title="Notifying 100,000 who are due among 1,000,000",
    contenders=("ours_vast",),
    figures=(Figure("rate", "rows/s"), Figure("grown", "MiB grown", "{:.1f}")),
    bars=(Bar("rows a second in a sweep", "rate", "ours_vast", "", 2000, 4000),),
    take=take_sweep,
)
