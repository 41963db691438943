"""What a tab holds of one conversation: the model that docs/protocol.md tells a client to keep."""

from typing import Any, NamedTuple


class Message(NamedTuple):
    sequence: int
    revision: int
    body: str
    deleted: bool


# Dozens of tabs hold the same message: one object for all of them.
_shared: dict[tuple[str, int], Message] = {}


def share(conversation: str, message: Message) -> Message:
    """The same message as somebody else has it, if it is the same to the letter."""
    known = _shared.setdefault((conversation, message.revision), message)
    return known if known == message else message


def read_message(frame: dict[str, Any]) -> Message:
    return Message(frame["sequence"], frame["revision"], frame["message"], frame["deleted"])


class Room:
    """`revision` is where to resume: all up to there has been handed over. An answer to one's own
    message never moves it, since it may overtake an older message of the other side."""

    def __init__(self, conversation: str) -> None:
        self.conversation = conversation
        self.revision = 0
        self.highest = 0  # The latest change known of, one's own included.
        self._held: dict[int, Message] = {}

    def take(self, message: Message) -> None:
        """Duplicates and late ones change nothing."""
        self.highest = max(self.highest, message.revision)
        held = self._held.get(message.sequence)
        if held is None or message.revision >= held.revision:
            self._held[message.sequence] = share(self.conversation, message)

    def take_own(self, message: Message) -> None:
        """From an answer to one's own sending. What came in frames is at least as new."""
        self.highest = max(self.highest, message.revision)
        if message.sequence not in self._held:
            self._held[message.sequence] = share(self.conversation, message)

    def change_own(self, sequence: int, revision: int, body: str, *, deleted: bool) -> None:
        """From an answer to one's own edit or deletion, which no frame tells its connection."""
        self.take(Message(sequence, revision, body, deleted))

    def take_frame(self, frame: dict[str, Any]) -> None:
        self.take(read_message(frame))
        self.reach(frame["revision"])

    def reach(self, revision: int) -> None:
        self.revision = max(self.revision, revision)
        self.highest = max(self.highest, self.revision)

    def lacks(self, revision: int) -> bool:
        """Whether a heartbeat says that something has not come."""
        return revision > self.highest

    def list_held(self) -> list[Message]:
        return [self._held[sequence] for sequence in sorted(self._held)]
