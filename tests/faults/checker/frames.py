"""I4: what frames say beside a message's text."""

from typing import Any

from tests.faults.checker.known import Known, short
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation, StoredMessage

MESSAGES = ("chat_message", "message_changed")


class Shown:
    """I4: frames say who wrote what. Number, kind, writer, name and role in a frame are those that
    are stored; the client's id of a message is told to whoever sent it, as it was sent, and to
    nobody else. No connection is told of a message that was stored by what was said over it. What
    `ready` says of its own person, their role and the head is so: the revision
    and the last sequence are none below what had been acknowledged before, nor beyond the end.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I4", "fields of frames")
        self._heads: dict[int, int] = {}
        self._frames = 0
        # Of one's own messages: by the connection and the client's id, to whom and when.
        self._own: dict[tuple[int, str], tuple[str, float]] = {}

    def began_connect(self, operation: Operation) -> None:
        key = operation.asked.get("conversation")
        if key:
            self._heads[operation.number] = self.known.heads.get(key, 0)

    def saw_close(self, seen: Seen) -> None:
        self._heads.pop(seen.value.get("connection", 0), None)

    def saw_frame(self, seen: Seen) -> None:
        self._frames += 1
        value = seen.value
        fields, kind = value.get("fields"), value["type"]
        if kind in MESSAGES:
            self._note_own(seen)
        if not fields or (kind not in MESSAGES and kind != "ready"):
            return
        self.tally.count()
        compare = self._compare_ready if kind == "ready" else self._compare_message
        problem = compare(value, fields)
        if problem:
            where = short(fields.get("conversation", "the inbox"))
            self.tally.break_(f"{seen.who} was told by {kind} of {where}: {problem}")

    # --- Messages -------------------------------------------------------------------------------

    def _note_own(self, seen: Seen) -> None:
        """As it was first stored, by somebody who tried it over this connection."""
        value = seen.value
        stored = self.known.by_sequence.get(value["conversation"], {}).get(value["sequence"])
        if stored is None or value["revision"] != stored.created_revision:
            return
        attempts = self.known.attempts.get(stored.key or "")
        connection = value.get("connection", 0)
        if attempts is not None and connection in attempts.lines:
            self._own[connection, stored.key or ""] = (seen.who, seen.at)

    def _compare_message(self, value: dict[str, Any], fields: dict[str, Any]) -> str:
        key, sequence = fields["conversation"], fields["sequence"]
        stored = self.known.by_sequence.get(key, {}).get(sequence)
        conversation = self.known.conversations.get(key)
        if stored is None or conversation is None:
            return ""  # I4's own to say.
        told = _differ(fields, stored, conversation)
        if told:
            return f"#{sequence} has {told}"
        client_id = fields.get("client_message_id")
        if value["person"] != stored.sender:
            return f"#{sequence} has the sender's own id" if client_id else ""
        return "" if client_id == stored.key else f"#{sequence} has the id {client_id}"

    # --- Ready ----------------------------------------------------------------------------------

    def _compare_ready(self, value: dict[str, Any], fields: dict[str, Any]) -> str:
        person = value["person"]
        if fields.get("user") != person:
            return f"it is {fields.get('user')}'s"
        key = fields.get("conversation")
        conversation = self.known.conversations.get(key or "")
        place = conversation.places.get(person) if conversation else None
        if conversation is None or place is None:
            return ""
        if fields["role"] != place.role:
            return f"role {fields['role']}, not {place.role}"
        if fields["read_sequence"] > place.read_sequence:
            return f"read up to #{fields['read_sequence']}, at the end #{place.read_sequence}"
        if fields["last_sequence"] > conversation.last_sequence:
            return f"#{fields['last_sequence']} is the last one, of {conversation.last_sequence}"
        head = self._heads.get(value.get("connection", 0), 0)
        return self._compare_head(conversation, fields, head) or _find_wrong(conversation, fields)

    def _compare_head(
        self, conversation: Conversation, fields: dict[str, Any], head: int
    ) -> str:  # fmt: skip
        if not head <= fields["revision"] <= conversation.revision:
            return f"revision {fields['revision']}, where {head} had been acknowledged"
        latest = (m.sequence for m in conversation.messages if m.created_revision <= head)
        least = max(latest, default=0)
        if fields["last_sequence"] < least:
            return f"#{fields['last_sequence']} is the last one, after #{least}"
        return ""

    def finish(self) -> None:
        """Another attempt at it, over another door, may be the one that was stored."""
        for (connection, key), (who, at) in self._own.items():
            attempts = self.known.attempts[key]
            if any(
                attempt.line == connection and attempt.state == "ok" and not attempt.duplicate
                for attempt in attempts.all
            ):
                self.tally.break_(
                    f"{who} was told “{short(attempts.body)}” at {at:.3f} s over the connection"
                    " that had said it"
                )
        if self._frames and not self.tally.checked:
            self.tally.note = "fields not checked: frames were not written down in full"


def _differ(fields: dict[str, Any], stored: StoredMessage, conversation: Conversation) -> str:
    """What else a frame says of a message than what is stored, if anything."""
    place = conversation.places.get(stored.sender or 0)
    sender = fields.get("sender") or {}
    pairs: list[tuple[str, Any, Any]] = [("kind", fields.get("kind"), stored.kind)]
    pairs.append(("sender", sender.get("id"), stored.sender))
    if stored.id:
        pairs.append(("number", fields.get("id"), stored.id))
    if place is not None:
        pairs.append(("role", sender.get("role"), place.role))
        if place.name:
            pairs.append(("name", fields.get("username"), place.name))
    if fields["revision"] == stored.revision:
        pairs.append(("edited", fields.get("edited_at") is not None, stored.edited))
    for name, told, known in pairs:
        if told != known:
            return f"{name} {short(told)} instead of {short(known)}"
    return ""


def _find_wrong(conversation: Conversation, fields: dict[str, Any]) -> str:
    """What is wrong with the people that `ready` names."""
    for member in fields.get("participants", ()):
        place = conversation.places.get(member["id"])
        if place is None:
            return f"{member['id']} is said to take part" if member["id"] is not None else ""
        if member["role"] != place.role:
            return f"{member['id']} is said to be {member['role']}"
        if place.name and member["username"] != place.name:
            return f"{member['id']} is called {short(member['username'])}"
        if member["read_sequence"] > place.read_sequence:
            return f"{member['id']} is said to have read up to #{member['read_sequence']}"
    return ""
