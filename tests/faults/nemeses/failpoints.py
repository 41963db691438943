"""Processes that die between a COMMIT and what follows from it, while people use them."""

import asyncio
import time
from math import inf

from tests.faults.dying.table import find_marked
from tests.faults.nemeses.field import Field, needs
from tests.faults.servers.programs import WEBS, WORKERS

SECONDS_TO_REACH = 12
LEAST_SECONDS = 6  # Of which it takes some to start.
SHARE_SENT_OVER = 0.7
# What people do all the time is passed a few times first; of the rest the first time is waited for.
OFTEN = ("bus", "connection", "http", "hub", "journal", "messages", "publisher", "record")
MOST_TIMES = 10
# Nobody can wait even for the first time: `bin/faults failpoints` has those.
SELDOM = ("blocks", "participants")
OF_WORKERS = ("deliver", "email", "hand_over", "notify", "source", "tasks")


@needs(LEAST_SECONDS)
async def die_at_a_place(field: Field) -> None:
    """Starts a process that ends at a place, soon, waits for its end, and starts it as usual."""
    if name := field.choose([*WEBS, WORKERS[0]]):
        stack, place = field.stack, field.random.choice(places_of(name))
        is_often = module_of(place) in OFTEN
        after = field.random.randint(1, MOST_TIMES) if is_often else 1
        async with field.fault("failpoint", name, place=place, after=after) as told:
            told["effect"] = 0
            stack.terminate(name)
            await stack.ended(name)
            stack.start_process(name, FAILPOINT=place, FAILPOINT_AFTER=str(after))
            try:
                told["reached"] = await is_reached(field, name)
                told["effect"] = int(told["reached"])
            finally:
                await start_as_usual(field, name, has_died=told.get("reached", False))


def places_of(name: str) -> list[str]:
    """Those that such a process comes by before long."""
    found = sorted(set(find_marked()))
    if name in WORKERS:
        return [place for place in found if module_of(place) in OF_WORKERS]
    return [place for place in found if module_of(place) not in (*OF_WORKERS, *SELDOM)]


def module_of(place: str) -> str:
    return place.partition(".")[0]


async def is_reached(field: Field, name: str) -> bool:
    """Whether it dies before long, from when it answers on."""
    until = inf
    while field.left and time.monotonic() < until:
        if not field.stack.is_running(name):
            return True
        if until == inf and await asyncio.to_thread(field.stack.answers, name):
            until = time.monotonic() + SECONDS_TO_REACH
            send_people_over(field, name)
        await asyncio.sleep(0.05)
    return not field.stack.is_running(name)


def send_people_over(field: Field, name: str) -> None:
    """Whose sockets were at a web process that is started again are all at the other one now: most
    of those are cut, and come back to either."""
    for other in WEBS:
        if name in WEBS and other != name:
            field.stack.edges[f"client→{other}"].cut(share=SHARE_SENT_OVER)


async def start_as_usual(field: Field, name: str, *, has_died: bool) -> None:
    if has_died:
        field.stack.note_death(name)
        field.stack.start_process(name)
        await field.stack.ready(name)
    else:
        await field.stack.restart(name)
