"""Nothing dies, but it does not answer: stopped processes, cut, half-open and slow connections."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from tests.faults.nemeses.field import Field, needs
from tests.faults.servers.network import Mode
from tests.faults.servers.programs import BEATS, WEBS, WORKERS

# What everybody waits for comes more often than what works behind their backs.
PAUSED = (*("database", "redis", *WEBS) * 3, *WORKERS, *BEATS)
# Longer than any side of a connection waits for a sign of life in a campaign.
LONG_SECONDS = (27, 33)
CLIENTS = ("client→web1", "client→web2")
REDIS_CLIENTS = ("pubsub", "normal")


@needs(3)
async def pause(field: Field) -> None:
    await pause_one(field, PAUSED, seconds=(3, 20))


@needs(LONG_SECONDS[0])
async def pause_for_long(field: Field) -> None:
    await pause_one(field, ["redis", *WEBS], seconds=LONG_SECONDS)


async def pause_one(field: Field, names: Sequence[str], *, seconds: tuple[float, float]) -> None:
    if name := field.choose(names):
        async with field.fault("pause", name) as told:
            told["effect"] = int(field.stack.pause(name))
            try:
                await field.sleep(*seconds)
            finally:
                field.stack.resume(name)


async def cut(field: Field) -> None:
    """RST for some or all of an edge's connections. What comes next is not touched."""
    if name := field.choose(list(field.stack.edges)):
        await cut_edge(field, name, share=field.random.choice([0.1, 0.5, 1.0]))


async def cut_edge(field: Field, name: str, *, share: float) -> None:
    async with field.fault("cut", name, share=share) as told:
        told["effect"] = told["connections"] = field.stack.edges[name].cut(share=share)


@needs(0.5)
async def swallow_replies(field: Field) -> None:
    """For a second or two: what was asked for is done, and nobody hears of it."""
    if name := field.choose(list(field.stack.edges)):
        await hurt_edge(field, "swallow", name, share=[0.02, 0.1, 0.5], seconds=(0.5, 2))


async def swallow_everything(field: Field) -> None:
    """All that either web process answers for a while, one after the other: whatever people are at
    is done then, and none of them hears of it."""
    for name in CLIENTS:
        await hurt_edge(field, "swallow", name, share=[1.0], seconds=(1, 2))


@needs(5)
async def open_black_hole(field: Field) -> None:
    if name := field.choose(list(field.stack.edges)):
        await hurt_edge(field, "blackhole", name, share=[0.3, 1.0], seconds=(5, 25))


@needs(LONG_SECONDS[0])
async def open_long_black_hole(field: Field) -> None:
    """On the way of people."""
    if name := field.choose([edge for edge in field.stack.edges if "web" in edge]):
        await hurt_edge(field, "blackhole", name, share=[0.5, 1.0], seconds=LONG_SECONDS)


@needs(3)
async def slow_down(field: Field) -> None:
    if name := field.choose(list(field.stack.edges)):
        await hurt_edge(field, "slow", name, share=[0.5, 1.0], seconds=(3, 15))


async def hurt_edge(
    field: Field, mode: Mode, name: str, *, share: Sequence[float], seconds: tuple[float, float]
) -> None:
    """What it met is for `swallow` the replies that nobody got, else the connections: those that
    were there, and those of all that came meanwhile that were not spared."""
    chosen, edge = field.random.choice(share), field.stack.edges[name]
    async with field.fault(mode, name, share=chosen) as told:
        before = Counter(edge.counts())
        told["connections"] = edge.set(mode, share=chosen)
        try:
            await field.sleep(*seconds)
        finally:
            edge.heal()
        met = Counter(edge.counts()) - before
        told["effect"] = told["connections"] + met["befallen"]
        if mode == "swallow":
            told["effect"] = told["swallowed"] = met["replies swallowed"]


async def kill_redis_clients(field: Field) -> None:
    """As an administrator's CLIENT KILL does, or a limit on memory."""
    if name := field.choose(["redis"]):
        kind = field.random.choice(REDIS_CLIENTS)
        async with field.fault("client_kill", name, clients=kind) as told:
            told["answer"] = answer = await field.stack.tell_redis(f"CLIENT KILL TYPE {kind}")
            told["effect"] = int(answer.removeprefix(":")) if answer.startswith(":") else 0
            await asyncio.sleep(0.1)
