"""What every check may ask: the final state by key and by revision, and what was attempted.

It listens to the history before all other checks do, so that at any moment it knows what had been
begun and acknowledged by then.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Any

from tests.faults.checker.closes import Closes
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.sightings import Sightings
from tests.faults.checker.standing import Standing
from tests.faults.checker.touches import Touches
from tests.faults.final_state import Conversation, FinalState, StoredMessage

MENDED_AFTER = 30.0
SLOW_SECONDS = 1.0
# They count what they met. Without effect they are no fault: nothing was there to be cut, nobody
# was kept waiting, no statement failed.
COUNTED = ("cut", "client_kill", "swallow", "blackhole", "slow", "disk_full", "mail_fault")


@dataclass(slots=True)
class Attempt:
    """One of them. `line`: the connection that it went over, 0 for HTTP."""

    number: int
    person: int
    session: float
    line: int
    began: float
    ended: float = inf
    state: str = "unknown"
    duplicate: bool = False


@dataclass(slots=True)
class Attempts:
    """All attempts to send one message under one client's id.

    `first_began`: the earliest moment at which any attempt that is not known to have failed can
    have had its effect. `tabs`: who tried it over a socket. `all` in the order in
    which they ended.
    """

    person: int
    place: str  # The conversation, or the listing when it begins one.
    body: str
    conversation: str
    first_began: float = inf
    first_ok: float = inf
    tries: int = 0
    open: int = 0
    unknown: int = 0
    done: int = 0
    tabs: set[str] = field(default_factory=set)
    lines: set[int] = field(default_factory=set)
    all: list[Attempt] = field(default_factory=list)


@dataclass(slots=True)
class Change:
    """An edit or a deletion that was tried. `line`: the connection that its tab had then, over
    which it may have gone."""

    attempt: Attempt
    kind: str
    line: int
    body: str
    state: str = "open"
    revision: int = 0
    repeated: bool = False
    ended: float = inf


@dataclass(slots=True)
class Fault:
    began: float
    ended: float
    what: str
    target: str
    nemesis: int
    back: float | None = None  # Seconds from its start to its answer; inf: it did not answer.


class Known:
    def __init__(self, final: FinalState) -> None:
        self.final = final
        self.standing = Standing(final)
        self.touches = Touches()
        self.sightings = Sightings()
        self.closes = Closes()
        self.outcome: dict[str, Any] = {}  # What the campaign itself says of its end.
        self.conversations: dict[str, Conversation] = final.conversations
        self.by_key: dict[tuple[int | None, str], StoredMessage] = {}
        self.by_revision: dict[str, dict[int, StoredMessage]] = {}
        self.by_sequence: dict[str, dict[int, StoredMessage]] = {}
        self.attempts: dict[str, Attempts] = {}
        self.changes: dict[tuple[str, int], list[Change]] = {}
        self.slow: list[tuple[float, float]] = []  # Sends whose answer took longer than a second.
        self.heads: dict[str, int] = {}  # The highest revision acknowledged so far.
        self.lines: dict[str, int] = {}  # The latest connection of each tab.
        self.faults: list[Fault] = []
        self.phases: list[tuple[float, str]] = []
        self._connected: dict[int, set[int]] = {}
        self.last_socket: dict[int, float] = {}  # When a person's last socket ended; inf: open.
        for conversation in final.conversations.values():
            self._index(conversation)

    def _index(self, conversation: Conversation) -> None:
        messages = conversation.messages
        self.by_revision[conversation.id] = {m.revision: m for m in messages}
        self.by_sequence[conversation.id] = {m.sequence: m for m in messages}
        for message in messages:
            if message.key:
                self.by_key[message.sender, message.key] = message

    # --- Messages -------------------------------------------------------------------------------

    def began_send(self, operation: Operation) -> None:
        asked = operation.asked
        attempts = self.attempts.get(asked["key"])
        if attempts is None:
            conversation = asked.get("conversation", "")
            place = conversation or asked["listing"]
            attempts = Attempts(asked["person"], place, asked["body"], conversation)
            self.attempts[asked["key"]] = attempts
        attempts.tries += 1
        attempts.open += 1
        attempt = self._begin_attempt(operation)
        operation.notes["attempt"] = attempt
        if asked.get("door") == "socket":
            attempts.tabs.add(operation.who)
            attempt.line = self.lines.get(operation.who, 0)
            attempts.lines.add(attempt.line)

    began_start = began_send

    def _begin_attempt(self, operation: Operation) -> Attempt:
        """A session that nobody told is none that is over."""
        asked = operation.asked
        session = asked.get("session", inf)
        return Attempt(operation.number, asked["person"], session, 0, operation.began)

    def ended_send(self, operation: Operation) -> None:
        attempts = self.attempts[operation.asked["key"]]
        attempts.open -= 1
        attempts.all.append(self._end_attempt(operation))
        if operation.state == "fail":
            return
        attempts.first_began = min(attempts.first_began, operation.began)
        if operation.state == "unknown":
            attempts.unknown += 1
            return
        attempts.done += 1
        if operation.ended > operation.began + SLOW_SECONDS:
            self.slow.append((operation.began, operation.ended))
        attempts.first_ok = min(attempts.first_ok, operation.ended)
        if not attempts.conversation:
            attempts.conversation = operation.answer["conversation"]
        self._raise_head(attempts.conversation, operation.answer["revision"])

    ended_start = ended_send

    def _end_attempt(self, operation: Operation) -> Attempt:
        attempt: Attempt = operation.notes["attempt"]
        attempt.ended, attempt.state = operation.ended, operation.state
        attempt.duplicate = bool(operation.answer.get("duplicate"))
        return attempt

    def _raise_head(self, conversation: str, revision: int) -> None:
        if revision > self.heads.get(conversation, 0):
            self.heads[conversation] = revision

    # --- Changes --------------------------------------------------------------------------------

    def began_edit(self, operation: Operation) -> None:
        asked = operation.asked
        attempt = operation.notes["attempt"] = self._begin_attempt(operation)
        line = self.lines.get(operation.who, 0)
        change = Change(attempt, operation.kind, line, asked.get("body", ""))
        operation.notes["change"] = change
        place = (asked["conversation"], asked["sequence"])
        self.changes.setdefault(place, []).append(change)

    began_delete = began_edit

    def ended_edit(self, operation: Operation) -> None:
        change: Change = operation.notes["change"]
        change.state = operation.state
        self._end_attempt(operation)
        if operation.state == "ok":
            change.ended = operation.ended
            change.revision = operation.answer["revision"]
            change.repeated = operation.answer.get("duplicate", False)
            self._raise_head(operation.asked["conversation"], change.revision)

    ended_delete = ended_edit

    def is_own(self, message: StoredMessage, line: int) -> bool:
        """Whether the message is now as this connection made it itself, or may have, so that it
        need not be told over it. What others made of it since is told."""
        if message.revision == message.created_revision:
            attempts = self.attempts.get(message.key or "")
            return attempts is not None and line in attempts.lines
        return any(
            change.line == line
            and change.state != "fail"
            and (change.state != "ok" or change.revision == message.revision)
            for change in self.changes.get((message.conversation, message.sequence), ())
        )

    # --- Faults, phases, and who is connected ---------------------------------------------------

    def ended_fault(self, operation: Operation) -> None:
        """What did not come back by itself is mended when healing begins, soon after."""
        asked, is_over = operation.asked, operation.state == "ok"
        if operation.answer.get("effect") == 0 and is_over and operation.kind in COUNTED:
            return
        self.faults.append(
            Fault(
                began=operation.began,
                ended=operation.ended if is_over else operation.ended + MENDED_AFTER,
                what=operation.kind,
                target=str(asked.get("target", "")),
                nemesis=int(asked.get("nemesis", 0)),
                back=operation.answer.get("back", inf if operation.state == "fail" else None),
            )
        )

    def saw_outcome(self, seen: Seen) -> None:
        self.outcome.update(seen.value)

    def saw_phase(self, seen: Seen) -> None:
        self.phases.append((seen.at, seen.value["name"]))

    @property
    def healed_at(self) -> float:
        """When the last healing began; 0 in a run without one."""
        return max((at for at, name in self.phases if name == "healing"), default=0.0)

    @property
    def final_began(self) -> float:
        """When what is judged at the end was healed for the last time."""
        return max((at for at, name in self.phases if name == "final"), default=0.0)

    def began_connect(self, operation: Operation) -> None:
        person = operation.asked["person"]
        self._connected.setdefault(person, set()).add(operation.number)
        self.lines[operation.who] = operation.number
        self.last_socket[person] = inf

    def ended_connect(self, operation: Operation) -> None:
        if operation.state == "fail":
            self._disconnect(operation.asked["person"], operation.number, operation.ended)

    def saw_close(self, seen: Seen) -> None:
        self._disconnect(seen.value["person"], seen.value.get("connection", 0), seen.at)

    def _disconnect(self, person: int, connection: int, at: float) -> None:
        connected = self._connected.setdefault(person, set())
        connected.discard(connection)
        if not connected:
            self.last_socket[person] = at

    def overlapping(self, began: float, ended: float) -> list[Fault]:
        return [fault for fault in self.faults if fault.began <= ended and fault.ended >= began]


def read_author(body: str) -> tuple[int, str] | None:
    """Who wrote a body and where it belongs, from what it begins with; None for other bodies."""
    head, bar, _ = body.partition("|")
    parts = head.split(" ")
    if not bar or len(parts) != 3 or not parts[0].isdigit():
        return None
    return int(parts[0]), parts[2]


def short(text: Any) -> str:
    """Enough of a text or a key to find it."""
    return str(text)[:60]
