"""I4: whether sockets are told in time."""

from dataclasses import dataclass, field
from math import inf

from tests.faults.checker.known import Known, short
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import Way

HEARTBEAT_SECONDS = 3.0  # As the stack has it, where `ready` does not say.
SLACK_SECONDS = 2.0


@dataclass(slots=True)
class OpenLine:
    """A room connection that is ready. `web`: the process at its other end, where that is told.
    `due`: what was acknowledged and has not come."""

    who: str
    conversation: str
    cursor: int
    web: int | None
    due: list[tuple[int, float]] = field(default_factory=list)


class InTime:
    """I4: late by at most one heartbeat. A room connection that was ready before a change was
    acknowledged to anybody, and stays open, has been told of that change or of a later one within a
    heartbeat and 2 s; or, where its own way was hurt before it was due (its web process, Redis, the
    database, or a line between these or to itself), within as long from that fault's end on, for
    the database from 10 s after it. What begins when it is due already is no excuse. What a tab did
    itself over a socket it need not be told.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I4", "told in time")
        self.heartbeat = HEARTBEAT_SECONDS
        self._lines: dict[int, OpenLine] = {}
        self._rooms: dict[str, dict[int, OpenLine]] = {}
        self._late: list[tuple[OpenLine, int, float, float]] = []
        self._webs: set[int | None] = set()
        self._until = 0.0

    # --- Connections ----------------------------------------------------------------------------

    def ended_connect(self, operation: Operation) -> None:
        key, revision = operation.asked.get("conversation"), operation.answer.get("revision")
        if operation.state == "ok" and key and revision is not None:
            line = OpenLine(operation.who, key, revision, operation.asked.get("web"))
            self._webs.add(line.web)
            self._lines[operation.number] = line
            self._rooms.setdefault(key, {})[operation.number] = line

    def saw_close(self, seen: Seen) -> None:
        number = seen.value.get("connection", 0)
        line = self._lines.pop(number, None)
        if line is not None:
            del self._rooms[line.conversation][number]
            self._give_up(line, seen.at)

    def _give_up(self, line: OpenLine, at: float) -> None:
        """What never came before the end is late only if there was time for it."""
        for revision, since in line.due:
            self.tally.count()
            if at > since + self.limit:
                self._late.append((line, revision, since, inf if at == inf else at))

    @property
    def limit(self) -> float:
        return self.heartbeat + SLACK_SECONDS

    # --- What is due, and what comes ------------------------------------------------------------

    def ended_send(self, operation: Operation) -> None:
        answer = operation.answer
        if operation.state != "ok" or answer.get("duplicate"):
            return
        key = operation.asked.get("conversation") or answer.get("conversation", "")
        tabs = {operation.who} if operation.kind in ("edit", "delete") else set()
        attempts = self.known.attempts.get(operation.asked.get("key", ""))
        tabs |= attempts.tabs if attempts else set()
        for line in self._rooms.get(key, {}).values():
            if line.cursor < answer["revision"] and line.who not in tabs:
                line.due.append((answer["revision"], operation.ended))

    ended_start = ended_edit = ended_delete = ended_send

    def saw_frame(self, seen: Seen) -> None:
        self._until = seen.at
        value = seen.value
        if value["type"] == "ready":
            told = (value.get("fields") or {}).get("heartbeat_seconds")
            self.heartbeat = float(told) if told else self.heartbeat
        line = self._lines.get(value.get("connection", 0))
        revision = value.get("revision")
        if line is None or revision is None or value["type"] in ("ack", "error"):
            return
        line.cursor = max(line.cursor, revision)
        if line.due:
            self._hand_over(line, seen.at)

    def _hand_over(self, line: OpenLine, at: float) -> None:
        waiting = []
        for revision, since in line.due:
            if revision > line.cursor:
                waiting.append((revision, since))
                continue
            self.tally.count()
            if at > since + self.limit:
                self._late.append((line, revision, since, at))
        line.due = waiting

    # --- At the end -----------------------------------------------------------------------------

    def finish(self) -> None:
        for line in self._lines.values():
            self._give_up(line, self._until)
        ways = {web: Way(self.known.faults, web) for web in self._webs}
        excused = 0
        for line, revision, since, came in self._late:
            if came <= ways[line.web].put_off(since, self.limit):
                excused += 1
                continue
            self.tally.break_(
                f"{line.who} was not told revision {revision} of {short(line.conversation)},"
                f" acknowledged at {since:.3f} s, before {came:.3f} s"
            )
        self._describe(excused, list(ways.values()))

    def _describe(self, excused: int, ways: list[Way]) -> None:
        began = self.known.phases[0][0] if self.known.phases else 0.0
        shares = [way.share_excused(began, self._until, self.limit) for way in ways]
        if any(shares):
            self.tally.note = (
                f"{excused} frames came later because of a fault on their own way, which would have"
                f" been an excuse for {sum(shares) / len(shares):.0%} of the time"
            )
