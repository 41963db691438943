"""I6: what somebody says over a socket that they have read."""

from dataclasses import dataclass
from math import inf

from tests.faults.checker.known import Known, short
from tests.faults.checker.lateness import HEARTBEAT_SECONDS, SLACK_SECONDS
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.touches import NO_ANSWER_EXPECTED
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import AFTERMATH, Windows, is_spare


@dataclass(slots=True)
class Said:
    """Its connection ended at `until`."""

    read: Operation
    until: float = inf


class ReadFrames:
    """I6: what is said to be read over a socket is. Nothing answers such a frame, but if its
    connection stays open for a heartbeat and 2 s after it, and nothing that sending needs is hurt
    meanwhile or within 10 s before, the position at the end is that one or a later one; unless its
    person may have left the conversation or their session may have ended by then.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I6", "positions told by sockets")
        self.heartbeat = HEARTBEAT_SECONDS
        self._said: list[Said] = []
        self._open: dict[int, list[Said]] = {}
        self._until = 0.0

    def saw_frame(self, seen: Seen) -> None:
        self._until = seen.at
        if seen.value["type"] == "ready":
            told = (seen.value.get("fields") or {}).get("heartbeat_seconds")
            self.heartbeat = float(told) if told else self.heartbeat

    def ended_connect(self, operation: Operation) -> None:
        if operation.state == "ok":
            self._open[operation.number] = []

    def saw_close(self, seen: Seen) -> None:
        for said in self._open.pop(seen.value.get("connection", 0), ()):
            said.until = seen.at

    def ended_read(self, operation: Operation) -> None:
        """`known` has heard of its tab's connection before."""
        line = self.known.lines.get(operation.who, 0)
        if operation.answer.get("why") == NO_ANSWER_EXPECTED and line in self._open:
            said = Said(operation)
            self._said.append(said)
            self._open[line].append(said)

    def finish(self) -> None:
        faults = [fault for fault in self.known.faults if not is_spare(fault)]
        harmful = Windows(faults, after=AFTERMATH)
        for said in self._said:
            read, asked = said.read, said.read.asked
            due = read.ended + self.heartbeat + SLACK_SECONDS
            if min(said.until, self._until) < due or harmful.touch(read.began, due):
                continue
            position = self._find_position(read, due)
            if position is not None:
                self.tally.expect(
                    position >= asked["sequence"],
                    f"{read.who} had said over a socket at {read.began:.3f} s that"
                    f" {short(asked['conversation'])} is read up to #{asked['sequence']}, at the"
                    f" end it is #{position}",
                )

    def _find_position(self, read: Operation, due: float) -> int | None:
        """At the end; None for who may have had no right to say it."""
        asked, standing = read.asked, self.known.standing
        person, key = asked["person"], asked["conversation"]
        conversation = self.known.conversations.get(key)
        place = conversation.places.get(person) if conversation else None
        if place is None or standing.may_have_left(person, key, read.began, due):
            return None
        is_over = standing.may_have_ended(person, asked.get("session", 0), due)
        return None if is_over else place.read_sequence
