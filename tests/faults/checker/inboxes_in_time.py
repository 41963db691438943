"""I4: whether inboxes are told in time; a part of `in_time`."""

from dataclasses import dataclass, field

from tests.faults.checker.known import Known
from tests.faults.checker.lateness import Due, Lateness, Listener
from tests.faults.checker.reading import Operation, Seen

MESSAGES = ("chat_message", "message_changed")


@dataclass(slots=True)
class OpenInbox:
    """`moved`: when its cursor was last another one. `heard`: the latest revision of each
    conversation that a frame was about."""

    listener: Listener
    ready: float
    cursor: str
    moved: float
    heard: dict[str, int] = field(default_factory=dict)
    due: list[Due] = field(default_factory=list)

    def knows(self, due: Due) -> bool:
        """A cursor that moved when the change may have been stored already may say so."""
        return self.moved > due.begun or self.heard.get(due.conversation, 0) >= due.number


class InboxesInTime:
    """What inboxes are told of each conversation of their people. `count`: how much that was."""

    def __init__(self, known: Known, lateness: Lateness) -> None:
        self.known, self.lateness = known, lateness
        self.count = 0
        self._lines: dict[int, OpenInbox] = {}
        self._of: dict[int, dict[int, OpenInbox]] = {}  # By their people.

    def open(self, operation: Operation, listener: Listener) -> None:
        cursor = operation.answer.get("cursor")
        if cursor is None:
            return  # Old histories do not say it.
        self.lateness.open(listener)
        line = OpenInbox(listener, operation.ended, cursor, operation.ended)
        self._lines[operation.number] = line
        self._of.setdefault(listener.person, {})[operation.number] = line

    def close(self, number: int, at: float) -> None:
        line = self._lines.pop(number, None)
        if line is not None:
            del self._of[line.listener.person][number]
            self.lateness.close(line, at)

    def expect(self, due: Due, said_over: set[int]) -> None:
        conversation = self.known.conversations.get(due.conversation)
        for person in conversation.places if conversation else ():
            for number, line in self._of.get(person, {}).items():
                is_new = line.ready < due.begun and number not in said_over
                if is_new and not line.knows(due):
                    self.count += 1
                    line.due.append(due)

    def hear(self, seen: Seen) -> None:
        value = seen.value
        line = self._lines.get(value.get("connection", 0))
        if line is None:
            return
        cursor, key = value.get("cursor"), value.get("conversation")
        if value["type"] == "heartbeat" and cursor not in (None, line.cursor):
            line.cursor, line.moved = cursor, seen.at
        elif value["type"] in MESSAGES and key:
            line.heard[key] = max(line.heard.get(key, 0), value["revision"])
        if line.due:
            self.lateness.hand_over(line, seen.at)

    def finish(self, until: float) -> None:
        for line in self._lines.values():
            self.lateness.close(line, until)
