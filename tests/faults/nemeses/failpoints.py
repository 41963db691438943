"""Processes that die between a COMMIT and what follows from it, while people use them."""

import asyncio
import time
from collections.abc import Sequence
from math import inf

from notifications.failpoints import KILLED
from tests.faults.dying.table import find_marked
from tests.faults.nemeses.field import Field, needs
from tests.faults.nemeses.hindering import cut_edge
from tests.faults.servers.programs import WEBS, WORKERS

SECONDS_TO_REACH = 12
LEAST_SECONDS = 6  # Of which it takes some to start.
SHARE_SENT_OVER = 0.7
# What people do all the time is passed a few times first; of the rest the first time is waited for.
OFTEN = ("bus", "connection", "http", "hub", "journal", "messages", "publisher", "record")
MOST_TIMES = 10
# Nobody can wait even for the first time: `bin/faults failpoints` has those.
SELDOM = ("blocks", "participants", "privacy")
OF_WORKERS = ("deliver", "email", "hand_over", "notify", "source", "tasks")


@needs(LEAST_SECONDS)
async def die_at_a_place(field: Field) -> None:
    """Starts a process that ends at a place, soon, waits for its end, and starts it as usual."""
    if name := field.choose([*WEBS, WORKERS[0]]):
        await die_at_one_of(field, name, places_of(name))


@needs(LEAST_SECONDS)
async def die_at_a_busy_place(field: Field) -> None:
    """One that a web process comes by all the time."""
    if name := field.choose(WEBS):
        await die_at_one_of(field, name, [each for each in places_of(name) if is_often(each)])


async def die_at_one_of(field: Field, name: str, places: Sequence[str]) -> None:
    stack, place = field.stack, field.random.choice(places)
    after = field.random.randint(1, MOST_TIMES) if is_often(place) else 1
    async with field.fault("failpoint", name, place=place, after=after) as told:
        told["effect"] = 0
        stack.terminate(name)
        await stack.ended(name)
        stack.start_process(name, FAILPOINT=place, FAILPOINT_AFTER=str(after))
        try:
            told["reached"] = await is_reached(field, name)
            told["effect"] = int(told["reached"])
        finally:
            told["back"] = await start_as_usual(field, name)


def is_often(place: str) -> bool:
    return module_of(place) in OFTEN


def places_of(name: str) -> list[str]:
    """Those that such a process comes by before long."""
    found = sorted(set(find_marked()))
    if name in WORKERS:
        return [place for place in found if module_of(place) in OF_WORKERS]
    return [place for place in found if module_of(place) not in (*OF_WORKERS, *SELDOM)]


def module_of(place: str) -> str:
    return place.partition(".")[0]


async def is_reached(field: Field, name: str) -> bool:
    """Whether it dies there before long, from when it answers on. What ends in another way was not
    meant to: that is a crash, and no effect."""
    until = inf
    while field.left and time.monotonic() < until:
        if not field.stack.is_running(name):
            break
        if until == inf and await asyncio.to_thread(field.stack.answers, name):
            until = time.monotonic() + SECONDS_TO_REACH
            await send_people_over(field, name)
        await asyncio.sleep(0.05)
    return field.stack.died_of(name, KILLED)


async def send_people_over(field: Field, name: str) -> None:
    """Whose sockets were at a web process that is started again are all at the other one now: most
    of those are cut, and come back to either."""
    for other in WEBS:
        if name in WEBS and other != name:
            await cut_edge(field, f"client→{other}", share=SHARE_SENT_OVER)


async def start_as_usual(field: Field, name: str) -> float:
    """How long it takes to answer. What ended in another way than it was made to is a crash."""
    stack = field.stack
    if stack.died_of(name, KILLED):
        stack.note_death(name)
    else:
        stack.terminate(name)
        await stack.ended(name)
    return await stack.come_back(name)
