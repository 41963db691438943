"""Who hurts the stack, and how: by number, as the plan of the campaign has them."""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.faults.history import History
from tests.faults.nemeses import failpoints, hindering, hostile, killing, surroundings
from tests.faults.nemeses.field import (
    LEAST,
    WHO,
    Act,
    Field,
    act_again_and_again,
    act_all_over,
)
from tests.faults.servers import clocks, disk
from tests.faults.servers.stack import Stack

Way = Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class Nemesis:
    """Acts about `every` so many seconds. `share`: how long its phases are, where most have 1.
    `why_not` says why a machine cannot have it, if so."""

    number: int
    name: str
    acts: Sequence[Act] = ()
    every: float = 1.0
    way: Way = act_again_and_again
    share: float = 1.0
    why_not: Callable[[Stack], str] = lambda stack: ""

    async def run(
        self, stack: Stack, random: random.Random, until: float, history: History
    ) -> None:
        """`until` is a moment of `time.monotonic()`. Whatever it began is over when it returns, or
        after `Stack.heal`."""
        field = Field(self.number, stack, random, until, history)
        if why := self.why_not(stack):
            print(f"Nemesis {self.number} ({self.name}) is skipped. {why}", file=sys.stderr)
            history.see(WHO, "skipped", nemesis=self.number, why=why)
            stack.skipped[self.number] = why
            await asyncio.sleep(field.left)
        else:
            await self.way(field, self.acts, every=self.every)


async def leave_alone(field: Field, acts: Sequence[Act], *, every: float) -> None:
    await asyncio.sleep(field.left)


async def double(field: Field, acts: Sequence[Act], *, every: float) -> None:
    """What people post comes several times, at once and late: their clients see to that."""
    posts = ("doubled", "seen")
    async with field.fault("duplicates", "client") as told:
        before = field.history.counts.get(posts, 0)
        await asyncio.sleep(field.left)
        told["effect"] = field.history.counts.get(posts, 0) - before


def begin_with(first: Act) -> Way:
    """Once for certain what is worst, where there is time for it."""

    async def begin(field: Field, acts: Sequence[Act], *, every: float) -> None:
        if LEAST.get(first, 0.0) <= field.left:
            await first(field)
        await act_again_and_again(field, acts, every=every)

    return begin


KILLS_BEHIND = (killing.kill_worker_or_beat, killing.kill_worker_or_beat, killing.kill_pool_child)
KILLS_REDIS = (killing.kill_redis, killing.flush_redis)
KILLS_DATABASE = (killing.kill_database, killing.end_backends)
CUTS = (hindering.cut, hindering.cut, hindering.swallow_replies, hindering.kill_redis_clients)
HALF_OPEN = (hindering.open_black_hole, hindering.open_black_hole, hindering.slow_down)
HOSTILE = (hostile.stop_reading, hostile.flood)
MAILS = (surroundings.fail_mails, surroundings.fail_mails, surroundings.stop_mails)


# Of phases in which something has to outlast what anybody waits for, or a client to be found slow.
LONG, LONGER = 2.5, 1.5
SWALLOW = begin_with(hindering.swallow_everything)
PAUSE_LONG = begin_with(hindering.pause_for_long)
HOLD_LONG = begin_with(hindering.open_long_black_hole)
DIE_BUSY = begin_with(failpoints.die_at_a_busy_place)


def why_no_clocks(stack: Stack) -> str:
    return "" if stack.clocks.library else clocks.WHY_NOT


def why_no_disk(stack: Stack) -> str:
    return "" if stack.disk else disk.WHY_NOT


async def mix(field: Field, acts: Sequence[Act], *, every: float) -> None:
    able = acts if why_no_clocks(field.stack) else (*acts, surroundings.jump_clock)
    await act_all_over(field, able, every=every)


MIXED = (
    *(killing.kill_web, killing.roll_webs, *KILLS_BEHIND, *KILLS_REDIS, *KILLS_DATABASE),
    *(hindering.pause, hindering.pause, *CUTS, *HALF_OPEN, *HOSTILE, *MAILS),
)
_ALL = (
    Nemesis(0, "nobody", way=leave_alone),
    Nemesis(1, "kills web processes", [killing.kill_web], 5),
    Nemesis(2, "stops web processes politely", [killing.roll_webs], 15),
    Nemesis(3, "kills workers and beats", KILLS_BEHIND, 5),
    Nemesis(4, "kills and empties Redis", KILLS_REDIS, 8),
    Nemesis(5, "kills PostgreSQL and its backends", KILLS_DATABASE, 10),
    Nemesis(6, "stops processes for a while", [hindering.pause], 10, PAUSE_LONG, LONG),
    Nemesis(7, "cuts connections, swallows replies", CUTS, 1, SWALLOW),
    Nemesis(8, "leaves connections half-open, or slow", HALF_OPEN, 15, HOLD_LONG, LONG),
    Nemesis(9, "floods, and never reads", HOSTILE, 3, act_all_over, LONGER),
    Nemesis(10, "takes no mail, or half", MAILS, 3),
    Nemesis(11, "sets clocks wrong", [surroundings.jump_clock], 5, why_not=why_no_clocks),
    Nemesis(12, "fills the disk", [surroundings.fill_disk], 8, why_not=why_no_disk),
    Nemesis(13, "ends processes at a line", [failpoints.die_at_a_place], 3, DIE_BUSY),
    Nemesis(14, "sends everything twice", way=double),
    Nemesis(15, "does all of 1 to 11 at once", MIXED, 3, mix),
)
NEMESES: dict[int, Nemesis] = {nemesis.number: nemesis for nemesis in _ALL}
