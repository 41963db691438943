"""Processes that die: at once, politely, and with what they held."""

import asyncio

from tests.faults.nemeses.field import Field, needs
from tests.faults.servers.programs import BEATS, WEBS, WORKERS

POLITE_SECONDS = 12


async def kill_web(field: Field) -> None:
    if name := field.choose(WEBS):
        await kill(field, name, most_seconds=3)


async def kill_worker_or_beat(field: Field) -> None:
    if name := field.choose([*WORKERS, *BEATS]):
        await kill(field, name, most_seconds=3)


async def kill_pool_child(field: Field) -> None:
    """One process of the worker that has several; the worker replaces it."""
    if name := field.choose([WORKERS[1]]):
        async with field.fault("kill", name, part="pool child") as told:
            told["effect"] = field.stack.kill_child(name, field.random)


async def kill_redis(field: Field) -> None:
    """It comes back empty, or with what it had written down."""
    if name := field.choose(["redis"]):
        field.stack.redis_keeps = field.random.random() < 0.5
        await kill(field, name, most_seconds=5, keeps=field.stack.redis_keeps)


async def kill_database(field: Field) -> None:
    if name := field.choose(["database"]):
        await kill(field, name, most_seconds=1)


async def kill(field: Field, name: str, *, most_seconds: float, **value: object) -> None:
    """And start it again, up to so many seconds later. The fault ends when it answers: `back`
    seconds after its start."""
    async with field.fault("kill", name, **value) as told:
        told["effect"] = int(field.stack.kill(name))
        await field.sleep(0, most_seconds)
        told["back"] = await field.stack.come_back(name)


async def roll_webs(field: Field) -> None:
    """One after the other, as a deployment does."""
    for name in WEBS:
        if name not in field.busy and field.left:
            async with field.fault("stop_politely", name) as told:
                told["effect"] = int(field.stack.is_running(name))
                field.stack.terminate(name)
                in_time = await field.stack.ended(name)
                if told["effect"]:  # What had ended by itself was not in time.
                    told["in_time"] = in_time
                told["back"] = await field.stack.come_back(name)


async def flush_redis(field: Field) -> None:
    if name := field.choose(["redis"]):
        async with field.fault("flush", name) as told:
            told["answer"] = await field.stack.tell_redis("FLUSHALL")
            told["effect"] = int(told["answer"] == "+OK")


@needs(1)
async def end_backends(field: Field) -> None:
    """Two connections of the database at a time, for some seconds."""
    if name := field.choose(["database"]):
        seconds = min(field.random.uniform(1, 6), field.left)
        async with field.fault("terminate_backends", name) as told:
            told["effect"] = 0
            for _ in range(max(1, int(seconds / 0.2))):
                told["effect"] += await field.stack.database.end_backends(2)
                await asyncio.sleep(0.2)
