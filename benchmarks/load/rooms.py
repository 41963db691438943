"""Conversations under load: two connections each, and a check of everything that arrives."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from benchmarks.load.dialects import Arrival
from benchmarks.load.identifiers import Origin

AT_ONCE = 50  # Handshakes under way.


class Line(Protocol):
    """One person's connection, which says messages by their ids."""

    def send(self, identifier: str) -> None: ...

    def abort(self) -> None: ...


class Door(Protocol):
    """How people come in. `side`: 0 is the buyer; `number`: of the conversation."""

    async def enter(
        self, number: int, side: int, on_arrival: Callable[[Arrival], object]
    ) -> Line: ...


@dataclass
class Tally:
    """What came of all that was sent. `mistakes` by their kind; of those none may be."""

    sent: int = 0
    completed: int = 0
    mistakes: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)  # Seconds from being due to being there.


@dataclass(slots=True)
class Flight:
    origin: Origin
    number: int  # Among all that this side has sent.
    due: float
    is_acked: bool = False
    has_arrived: bool = False


class Room:
    """`on_complete` is called when a message has been acknowledged and the other side has it."""

    def __init__(self, number: int, tally: Tally) -> None:
        self.number, self.tally = number, tally
        self.lines: list[Line] = []
        self.flights: dict[str, Flight] = {}
        self.on_complete: Callable[[Room, Origin], object] = lambda room, origin: None
        self._sent, self._last_number = [0, 0], [0, 0]
        self._counts: Counter[Origin] = Counter()
        self._revisions: list[list[int]] = [[], []]  # Of messages, by the side that got them.
        self._acked: list[int] = []

    def send(self, origin: Origin, due: float | None = None) -> None:
        self._counts[origin] += 1
        self._sent[origin.side] += 1
        identifier = origin.identifier(self._counts[origin])
        now = time.perf_counter() if due is None else due
        self.flights[identifier] = Flight(origin, self._sent[origin.side], now)
        self.tally.sent += 1
        self.lines[origin.side].send(identifier)

    def take(self, side: int, arrival: Arrival) -> None:
        if arrival.revision:
            self._note_revision(side, arrival)
        flight = self.flights.get(arrival.identifier)
        if flight is None:
            self.tally.mistakes["not in flight here"] += 1
        elif arrival.is_ack or flight.origin.side == side:
            self._note_ack(flight, side)
        else:
            self._note_arrival(flight, side)
        if flight and flight.is_acked and flight.has_arrived:
            del self.flights[arrival.identifier]
            self.tally.completed += 1
            self.on_complete(self, flight.origin)

    def _note_ack(self, flight: Flight, side: int) -> None:
        if flight.is_acked or flight.origin.side != side:
            self.tally.mistakes["a wrong ack"] += 1
        flight.is_acked = True

    def _note_arrival(self, flight: Flight, side: int) -> None:
        if flight.has_arrived:
            self.tally.mistakes["twice"] += 1
        if flight.number <= self._last_number[side]:
            self.tally.mistakes["out of order"] += 1
        self._last_number[side] = flight.number
        flight.has_arrived = True
        self.tally.delays.append(time.perf_counter() - flight.due)

    def _note_revision(self, side: int, arrival: Arrival) -> None:
        """An ack may overtake an older message of the other side; messages come in order."""
        if arrival.is_ack:
            self._acked.append(arrival.revision)
            return
        revisions = self._revisions[side]
        if revisions and arrival.revision <= revisions[-1]:
            self.tally.mistakes["an older revision"] += 1
        revisions.append(arrival.revision)

    def judge(self) -> None:
        """At the end, when nothing is under way any more."""
        self.tally.mistakes["lost"] += len(self.flights)
        seen = sorted(self._revisions[0] + self._revisions[1])
        if seen and seen != list(range(seen[0], seen[0] + len(seen))):
            self.tally.mistakes["a gap in the revisions"] += 1
        if seen and seen != sorted(self._acked):
            self.tally.mistakes["an ack of another revision"] += 1


async def open_rooms(numbers: Sequence[int], door: Door, tally: Tally) -> list[Room]:
    """Conversations by their numbers, with both people in each."""
    rooms = [Room(number, tally) for number in numbers]
    gate = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(open_room(room, door, gate) for room in rooms))
    return rooms


async def open_room(room: Room, door: Door, gate: asyncio.Semaphore) -> None:
    for side in (0, 1):
        async with gate:
            room.lines.append(await door.enter(room.number, side, partial(room.take, side)))


def close_rooms(rooms: Sequence[Room]) -> None:
    for room in rooms:
        for line in room.lines:
            line.abort()
