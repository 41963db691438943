"""What was lost and what came twice, counted from what people were told and from what there is:
messages, each once, however many checks see it."""

from collections import Counter
from typing import Any

from tests.faults.checker.reading import Operation, Seen
from tests.faults.final_state import Conversation, FinalState

MESSAGES = ("chat_message", "message_changed")
Message = tuple[str, int]  # The conversation and the sequence.


class Damage:
    """Is told of every send that ended, every frame, the end of every socket, and what tabs have in
    the end."""

    def __init__(self) -> None:
        # By whose and under which client's id: what was acknowledged, as often as that was.
        self.acknowledged: dict[tuple[int, str], Message] = {}
        self.shown_twice: set[Message] = set()
        self._told: dict[int, set[tuple[str, int, int]]] = {}  # By connection.
        self._held: list[tuple[int, str, list[int]]] = []

    def take_answer(self, operation: Operation) -> None:
        if operation.state == "ok":
            asked, answer = operation.asked, operation.answer
            conversation = asked.get("conversation") or answer["conversation"]
            place = (conversation, answer["sequence"])
            self.acknowledged[asked["person"], asked["key"]] = place

    def take_frame(self, value: dict[str, Any]) -> None:
        """One connection is told each change of a message once."""
        connection = value.get("connection", 0)
        if value["type"] not in MESSAGES or not connection:
            return
        told = self._told.setdefault(connection, set())
        change = (value["conversation"], value["sequence"], value["revision"])
        if change in told:
            self.shown_twice.add((value["conversation"], value["sequence"]))
        told.add(change)

    def take_close(self, connection: int) -> None:
        self._told.pop(connection, None)

    def take_final(self, seen: Seen) -> None:
        value = seen.value
        sequences = [row[0] for row in value["messages"]]
        key = value["conversation"] or ""
        self._held.append((value["person"], key, sequences))
        twice = (sequence for sequence, count in Counter(sequences).items() if count > 1)
        self.shown_twice.update((key, sequence) for sequence in twice)

    def count_lost(self, final: FinalState) -> int:
        """Acknowledged messages that are not stored, or that a tab which is open at the end, in a
        conversation of its person's, does not have."""
        keys = {
            (message.sender, message.key): (message.conversation, message.sequence)
            for conversation in final.conversations.values()
            for message in conversation.messages
        }
        stored = {one: keys[one] for one in self.acknowledged if one in keys}
        missing = self._find_missing(final)
        return len(self.acknowledged) - len(stored) + sum(at in missing for at in stored.values())

    def _find_missing(self, final: FinalState) -> set[Message]:
        missing: set[Message] = set()
        for person, key, sequences in self._held:
            conversation = final.conversations.get(key)
            if conversation is not None and takes_part(conversation, person):
                stored = {message.sequence for message in conversation.messages}
                missing |= {(key, sequence) for sequence in stored.difference(sequences)}
        return missing

    def count_duplicated(self, final: FinalState) -> int:
        """Client's ids, and texts that nobody edited, that are stored more than once, and messages
        that a connection was told or a tab shows more than once."""
        keys: Counter[tuple[int | None, str]] = Counter()
        bodies: Counter[str] = Counter()
        for conversation in final.conversations.values():
            for message in conversation.messages:
                if message.kind == "system":
                    continue
                if message.key:
                    keys[message.sender, message.key] += 1
                if not message.edited and not message.deleted:
                    bodies[message.body] += 1
        stored = max(count_extra(keys), count_extra(bodies))  # A twin may have both or one of them.
        return stored + len(self.shown_twice)


def takes_part(conversation: Conversation, person: int) -> bool:
    place = conversation.places.get(person)
    return place is not None and not place.left


def count_extra(counts: Counter[Any]) -> int:
    return sum(count - 1 for count in counts.values())
