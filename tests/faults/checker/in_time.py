"""I4: whether sockets are told in time."""

from dataclasses import dataclass, field

from tests.faults.checker.inboxes_in_time import InboxesInTime
from tests.faults.checker.known import Known
from tests.faults.checker.lateness import Due, Lateness, Listener
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.reads_in_time import ReadsInTime
from tests.faults.checker.verdicts import Tally


@dataclass(slots=True)
class OpenLine:
    """A room connection that is ready. `due`: what was acknowledged and has not come."""

    listener: Listener
    conversation: str
    cursor: int
    due: list[Due] = field(default_factory=list)


class InTime:
    """I4: late by at most one heartbeat. A room connection that was ready before a change was
    acknowledged to anybody, as new or as a repeat, has been told of that change or of a later one
    within a heartbeat and 2 s, unless it ended before. So has an inbox that was ready before the
    change was begun: by a frame about it or a later one of that conversation, or by a cursor that
    was new to it. The same goes for what rooms are told of others' reading, where that was
    acknowledged.

    Where its own way was hurt before it was due (its web process, Redis, the database, or a line
    between these or to itself), it has until as long after nothing of that is left, which for the
    database is 10 s after a fault; faults that overlap are one. What begins when it is due already
    is no excuse. Nor is what only cuts lines, at once or when they have swallowed a reply, except
    those to the database: who is still there was not cut, and a heartbeat needs no more. Over which
    connection somebody tried to say or change something, that need not be told of it.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I4", "told in time")
        self.lateness = Lateness(known, self.tally)
        self.inboxes = InboxesInTime(known, self.lateness)
        self.reads = ReadsInTime(known, self.lateness)
        self._lines: dict[int, OpenLine] = {}
        self._rooms: dict[str, dict[int, OpenLine]] = {}
        self._first: dict[str, float] = {}  # When a message was tried for the first time, by key.
        self._until = 0.0

    # --- Connections ----------------------------------------------------------------------------

    def ended_connect(self, operation: Operation) -> None:
        if operation.state != "ok":
            return
        asked, revision = operation.asked, operation.answer.get("revision")
        key = asked.get("conversation")
        listener = Listener(operation.who, asked["person"], asked.get("web"), is_inbox=not key)
        if key and revision is not None:
            self.lateness.open(listener)
            line = OpenLine(listener, key, revision)
            self._lines[operation.number] = line
            self._rooms.setdefault(key, {})[operation.number] = line
            self.reads.open(operation, listener)
        elif not key:
            self.inboxes.open(operation, listener)

    def saw_close(self, seen: Seen) -> None:
        number = seen.value.get("connection", 0)
        self.inboxes.close(number, seen.at)
        self.reads.close(number, seen.at)
        line = self._lines.pop(number, None)
        if line is not None:
            del self._rooms[line.conversation][number]
            self._give_up(line, seen.at)

    def _give_up(self, line: OpenLine, at: float) -> None:
        for due in line.due:
            self.lateness.give_up(line.listener, due, at)

    # --- What is due, and what comes ------------------------------------------------------------

    def began_send(self, operation: Operation) -> None:
        self._first.setdefault(operation.asked["key"], operation.began)

    began_start = began_send

    def ended_send(self, operation: Operation) -> None:
        """Also of a repeat: who died before telling anybody of it has told nobody."""
        if operation.state != "ok":
            return
        asked, answer = operation.asked, operation.answer
        key = asked.get("conversation") or answer.get("conversation", "")
        begun = self._first[asked["key"]]
        attempts = self.known.attempts[asked["key"]]
        self._expect(Due(key, answer["revision"], begun, operation.ended), attempts.lines)

    ended_start = ended_send

    def ended_edit(self, operation: Operation) -> None:
        """A repeat may have been begun long before this attempt at it: see `InboxesInTime`."""
        if operation.state != "ok":
            return
        answer, change = operation.answer, operation.notes["change"]
        begun = 0.0 if answer.get("duplicate") else operation.began
        due = Due(operation.asked["conversation"], answer["revision"], begun, operation.ended)
        self._expect(due, {change.line})

    ended_delete = ended_edit

    def ended_read(self, operation: Operation) -> None:
        if operation.state == "ok":
            self.reads.expect(operation)

    def _expect(self, due: Due, said_over: set[int]) -> None:
        for number, line in self._rooms.get(due.conversation, {}).items():
            if line.cursor < due.number and number not in said_over:
                line.due.append(due)
        self.inboxes.expect(due, said_over)

    def saw_frame(self, seen: Seen) -> None:
        self._until = seen.at
        value = seen.value
        if value["type"] == "ready":
            told = (value.get("fields") or {}).get("heartbeat_seconds")
            self.lateness.heartbeat = float(told) if told else self.lateness.heartbeat
        self.inboxes.hear(seen)
        self.reads.hear(seen)
        line = self._lines.get(value.get("connection", 0))
        revision = value.get("revision")
        if line is None or revision is None or value["type"] in ("ack", "error"):
            return
        line.cursor = max(line.cursor, revision)
        if line.due:
            self._hand_over(line, seen.at)

    def _hand_over(self, line: OpenLine, at: float) -> None:
        came = [due for due in line.due if due.number <= line.cursor]
        line.due = [due for due in line.due if due.number > line.cursor]
        for due in came:
            self.lateness.take(line.listener, due, at)

    # --- At the end -----------------------------------------------------------------------------

    def finish(self) -> None:
        for line in self._lines.values():
            self._give_up(line, self._until)
        self.inboxes.finish(self._until)
        self.reads.finish(self._until)
        self.lateness.finish(self._until)
        if self.tally.note:
            inboxes, reads = self.inboxes.count, self.reads.count
            self.tally.note += f"; of what was due {inboxes} to inboxes and {reads} of reading"
