"""Two ways to load rooms: as fast as they answer, and at a fixed rate."""

import asyncio
import secrets
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.load.identifiers import Origin
from benchmarks.load.rooms import Room, Tally
from benchmarks.machine import Usage, Watch

LONGEST_END_SECONDS = 15.0
LOOK_SECONDS = 0.02


@dataclass
class Talked:
    """One measurement. Delays in seconds, of what was delivered while it was measured."""

    messages: int
    usage: Usage
    sent: int = 0
    mistakes: dict[str, int] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.messages / self.usage.seconds

    def delay(self, percent: int) -> float:
        """In ms."""
        return statistics.quantiles(self.delays, n=100)[percent - 1] * 1000


async def talk_in_turn(
    rooms: Sequence[Room],
    *,
    in_flight: int,
    warm_up: float,
    seconds: float,
    watch: Callable[[], Watch],
) -> Talked:
    """A closed loop: a slot sends again as soon as its last message has arrived on both sides."""
    run, ending = secrets.randbits(32), asyncio.Event()

    def go_on(room: Room, origin: Origin) -> None:
        if not ending.is_set():
            room.send(origin)

    for room in rooms:
        room.on_complete = go_on
        for slot in range(in_flight):
            room.send(Origin(run, room.number, slot % 2, slot))
    return await _measure(rooms, warm_up, seconds, watch, ending.set)


async def talk_at_rate(
    rooms: Sequence[Room],
    *,
    rate: float,
    warm_up: float,
    seconds: float,
    watch: Callable[[], Watch],
) -> Talked:
    """An open loop: each message is due at its moment, however the one before it fares."""
    sending = asyncio.create_task(send_at(rooms, rate))
    return await _measure(rooms, warm_up, seconds, watch, sending.cancel)


async def send_at(rooms: Sequence[Room], rate: float) -> None:
    """Until it is cancelled."""
    run, began, number = secrets.randbits(32), time.perf_counter(), 0
    while True:
        due = began + number / rate
        if (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        room = rooms[number % len(rooms)]
        room.send(Origin(run, room.number, number // len(rooms) % 2, 0), due)
        number += 1


async def _measure(
    rooms: Sequence[Room],
    warm_up: float,
    seconds: float,
    watch: Callable[[], Watch],
    end: Callable[[], object],
) -> Talked:
    tally = rooms[0].tally
    await asyncio.sleep(warm_up)
    watching, before, first = watch(), tally.completed, len(tally.delays)
    await asyncio.sleep(seconds)
    messages, delays, usage = tally.completed - before, tally.delays[first:], watching.end()
    end()
    await all_there(rooms)
    judge(rooms, tally)
    return Talked(messages, usage, tally.sent, dict(+tally.mistakes), delays)


async def all_there(rooms: Sequence[Room]) -> None:
    until = time.perf_counter() + LONGEST_END_SECONDS
    while any(room.flights for room in rooms) and time.perf_counter() < until:
        await asyncio.sleep(LOOK_SECONDS)


def judge(rooms: Sequence[Room], tally: Tally) -> None:
    for room in rooms:
        room.judge()
