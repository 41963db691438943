"""What every check may ask: the final state by key and by revision, and what was attempted.

It listens to the history before all other checks do, so that at any moment it knows what had been
begun and acknowledged by then.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Any

from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.standing import Standing
from tests.faults.checker.touches import Touches
from tests.faults.final_state import Conversation, FinalState, StoredMessage

MENDED_AFTER = 30.0
# Over as soon as they are done: without effect they are no fault.
INSTANT = ("cut", "client_kill")


@dataclass(slots=True)
class Attempts:
    """All attempts to send one message under one client's id.

    `first_began`: the earliest moment at which any attempt that is not known to have failed can
    have had its effect. `tabs`: who tried it over a socket, which is not told of its own.
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


@dataclass(slots=True)
class Change:
    """An edit or a deletion that was tried."""

    kind: str
    who: str
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
    effect: int | None = None  # How much it befell, where that is told.


class Known:
    def __init__(self, final: FinalState) -> None:
        self.final = final
        self.standing = Standing(final)
        self.touches = Touches()
        self.outcome: dict[str, Any] = {}  # What the campaign itself says of its end.
        self.conversations: dict[str, Conversation] = final.conversations
        self.by_key: dict[tuple[int | None, str], StoredMessage] = {}
        self.by_revision: dict[str, dict[int, StoredMessage]] = {}
        self.by_sequence: dict[str, dict[int, StoredMessage]] = {}
        self.attempts: dict[str, Attempts] = {}
        self.changes: dict[tuple[str, int], list[Change]] = {}
        self.heads: dict[str, int] = {}  # The highest revision acknowledged so far.
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
        if asked.get("door") == "socket":
            attempts.tabs.add(operation.who)

    began_start = began_send

    def ended_send(self, operation: Operation) -> None:
        attempts = self.attempts[operation.asked["key"]]
        attempts.open -= 1
        if operation.state == "fail":
            return
        attempts.first_began = min(attempts.first_began, operation.began)
        if operation.state == "unknown":
            attempts.unknown += 1
            return
        attempts.done += 1
        attempts.first_ok = min(attempts.first_ok, operation.ended)
        if not attempts.conversation:
            attempts.conversation = operation.answer["conversation"]
        self._raise_head(attempts.conversation, operation.answer["revision"])

    ended_start = ended_send

    def _raise_head(self, conversation: str, revision: int) -> None:
        if revision > self.heads.get(conversation, 0):
            self.heads[conversation] = revision

    # --- Changes --------------------------------------------------------------------------------

    def began_edit(self, operation: Operation) -> None:
        asked = operation.asked
        change = Change(operation.kind, operation.who, asked.get("body", ""))
        operation.notes["change"] = change
        place = (asked["conversation"], asked["sequence"])
        self.changes.setdefault(place, []).append(change)

    began_delete = began_edit

    def ended_edit(self, operation: Operation) -> None:
        change: Change = operation.notes["change"]
        change.state = operation.state
        if operation.state == "ok":
            change.ended = operation.ended
            change.revision = operation.answer["revision"]
            change.repeated = operation.answer.get("duplicate", False)
            self._raise_head(operation.asked["conversation"], change.revision)

    ended_delete = ended_edit

    def is_own(self, message: StoredMessage, who: str) -> bool:
        """Whether this tab did it itself over a socket, so that it need not be told."""
        attempts = self.attempts.get(message.key or "")
        if attempts is not None and who in attempts.tabs:
            return True
        changes = self.changes.get((message.conversation, message.sequence), ())
        return any(change.who == who for change in changes)

    # --- Faults, phases, and who is connected ---------------------------------------------------

    def ended_fault(self, operation: Operation) -> None:
        """What did not come back by itself is mended when healing begins, soon after."""
        asked, is_over = operation.asked, operation.state == "ok"
        effect = operation.answer.get("effect")
        if effect == 0 and operation.kind in INSTANT:
            return  # Nothing was there to be cut.
        self.faults.append(
            Fault(
                began=operation.began,
                ended=operation.ended if is_over else operation.ended + MENDED_AFTER,
                what=operation.kind,
                target=str(asked.get("target", "")),
                nemesis=int(asked.get("nemesis", 0)),
                effect=effect,
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

    def began_connect(self, operation: Operation) -> None:
        person = operation.asked["person"]
        self._connected.setdefault(person, set()).add(operation.number)
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
