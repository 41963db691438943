"""What connections were told too late, and whether a fault on their own way excuses it."""

from dataclasses import dataclass
from typing import Protocol

from tests.faults.checker.known import Known, short
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import Way

HEARTBEAT_SECONDS = 3.0  # As the stack has it, where `ready` does not say.
SLACK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is at one end of a connection, and which web process at the other, where that is told."""

    who: str
    person: int
    web: int | None
    is_inbox: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A change that was `begun` and, at `since`, acknowledged: from then on it is waited for.
    `number`: its revision, or how far `reader` has read."""

    conversation: str
    number: int
    begun: float
    since: float
    reader: int | None = None

    def __str__(self) -> str:
        where = short(self.conversation)
        if self.reader is None:
            return f"revision {self.number} of {where}"
        return f"that {self.reader} has read {where} up to #{self.number}"


class Line(Protocol):
    """A connection with what it waits for."""

    listener: Listener
    due: list[Due]

    def knows(self, due: Due) -> bool: ...


class Lateness:
    """What was due is counted when it comes, or when it is certain that it came too late."""

    def __init__(self, known: Known, tally: Tally) -> None:
        self.known, self.tally = known, tally
        self.heartbeat = HEARTBEAT_SECONDS
        self._late: list[tuple[Listener, Due, float]] = []
        self._webs: set[int | None] = set()

    @property
    def limit(self) -> float:
        return self.heartbeat + SLACK_SECONDS

    def open(self, listener: Listener) -> None:
        self._webs.add(listener.web)

    def hand_over(self, line: Line, at: float) -> None:
        """A line has heard something: what it knows now has come."""
        for due in line.due:
            if line.knows(due):
                self.take(line.listener, due, at)
        line.due = [due for due in line.due if not line.knows(due)]

    def take(self, listener: Listener, due: Due, at: float) -> None:
        """It came."""
        self.tally.count()
        if at > due.since + self.limit:
            self._late.append((listener, due, at))

    def close(self, line: Line, at: float) -> None:
        for due in line.due:
            self.give_up(line.listener, due, at)

    def give_up(self, listener: Listener, due: Due, at: float) -> None:
        """It had not come when the connection ended: late if there had been time for it, and
        nothing that was shown if not."""
        if at > due.since + self.limit:
            self.take(listener, due, at)

    def finish(self, until: float) -> None:
        ways = {web: Way(self.known.faults, web) for web in self._webs}
        excused = 0
        for listener, due, came in self._late:
            if came <= ways[listener.web].put_off(due.since, self.limit):
                excused += 1
            elif not self._may_have_left(listener, due, came):
                self.tally.break_(
                    f"{listener.who} was not told {due}, acknowledged at {due.since:.3f} s, before"
                    f" {came:.3f} s"
                )
        self._describe(excused, list(ways.values()), until)

    def _may_have_left(self, listener: Listener, due: Due, came: float) -> bool:
        """The person of an inbox, or who had read it: a room ends with its own person's part."""
        person = listener.person if listener.is_inbox else due.reader
        standing = self.known.standing
        return person is not None and standing.may_have_left(
            person, due.conversation, due.begun, came
        )

    def _describe(self, excused: int, ways: list[Way], until: float) -> None:
        began = self.known.phases[0][0] if self.known.phases else 0.0
        shares = [way.share_excused(began, until, self.limit) for way in ways]
        if any(shares):
            self.tally.note = (
                f"{excused} frames came later because of a fault on their own way, which would have"
                f" been an excuse for {sum(shares) / len(shares):.0%} of the time, of up to"
                f" {max(way.longest for way in ways) + self.limit:.0f} s"
            )
