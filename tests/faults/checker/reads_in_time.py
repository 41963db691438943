"""I4: whether rooms are told in time how far others have read; a part of `in_time`."""

from dataclasses import dataclass, field
from typing import Any

from tests.faults.checker.known import Known
from tests.faults.checker.lateness import Due, Lateness, Listener
from tests.faults.checker.reading import Operation, Seen

Positions = dict[int, int]


@dataclass(slots=True)
class Watched:
    """A room connection that is ready. `positions`: by person, how far they have read as far as it
    was told."""

    listener: Listener
    conversation: str
    positions: Positions
    due: list[Due] = field(default_factory=list)

    def knows(self, due: Due) -> bool:
        return self.positions.get(due.reader or 0, due.number) >= due.number


class ReadsInTime:
    """What rooms are told of others' reading that was acknowledged, over HTTP that is: nothing
    answers who says it over a socket, and that one is not told of it. `count`: how much was due."""

    def __init__(self, known: Known, lateness: Lateness) -> None:
        self.known, self.lateness = known, lateness
        self.count = 0
        self._lines: dict[int, Watched] = {}
        self._rooms: dict[str, dict[int, Watched]] = {}
        self._ready: dict[int, Positions] = {}  # Of connections whose `ready` was just heard.

    def open(self, operation: Operation, listener: Listener) -> None:
        """Old histories do not say whom `ready` names, and nobody else is waited for."""
        positions = self._ready.pop(operation.number, None)
        if positions is not None:
            key = operation.asked["conversation"]
            line = self._lines[operation.number] = Watched(listener, key, positions)
            self._rooms.setdefault(key, {})[operation.number] = line

    def close(self, number: int, at: float) -> None:
        self._ready.pop(number, None)
        line = self._lines.pop(number, None)
        if line is not None:
            del self._rooms[line.conversation][number]
            self.lateness.close(line, at)

    def expect(self, read: Operation) -> None:
        asked = read.asked
        key, times = asked["conversation"], (read.began, read.ended)
        due = Due(key, asked["sequence"], *times, reader=asked["person"])
        for line in self._rooms.get(key, {}).values():
            if line.listener.person != due.reader and not line.knows(due):
                self.count += 1
                line.due.append(due)

    def hear(self, seen: Seen) -> None:
        value = seen.value
        number = value.get("connection", 0)
        if value["type"] == "ready":
            self._ready[number] = list_positions(value)
        line = self._lines.get(number)
        if line is None:
            return
        if value["type"] == "read" and value["user"] in line.positions:
            latest = max(line.positions[value["user"]], value["sequence"])
            line.positions[value["user"]] = latest
        elif value["type"] in ("ready", "participants"):
            line.positions = list_positions(value)
        if line.due:
            self.lateness.hand_over(line, seen.at)

    def finish(self, until: float) -> None:
        for line in self._lines.values():
            self.lateness.close(line, until)


def list_positions(value: dict[str, Any]) -> Positions:
    """Of everybody whom a frame names."""
    members = (value.get("fields") or {}).get("participants") or ()
    return {member["id"]: member["read_sequence"] for member in members if member["id"] is not None}
