"""Ids of messages that say where they belong, so that a message in the wrong place is seen.

They have the form of a random UUID, of which the contract asks no more.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent it: a conversation's number, a side (0 or 1), and one of its messages in flight."""

    run: int
    conversation: int
    side: int
    slot: int

    def identifier(self, count: int) -> str:
        return (
            f"{self.run:08x}-{self.conversation:04x}-4{self.side:03x}-8{self.slot:03x}-{count:012x}"
        )


def parse(identifier: str) -> tuple[Origin, int]:
    """The origin, and which of its messages in a row. ValueError when it is none of ours."""
    run, conversation, side, slot, count = identifier.split("-")
    origin = Origin(int(run, 16), int(conversation, 16), int(side[1:], 16), int(slot[1:], 16))
    return origin, int(count, 16)
