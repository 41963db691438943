"""The answers that one connection owes: in the order of its frames, and never too many at once.

A frame is in flight from when it is taken until its answer has been sent. While as much as a
connection may have is in flight, no further frame is taken: the rest waits where it costs this
process nothing, in the network (docs/protocol.md, “Floods”).
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from messaging import runtime

MOST_FRAMES = 100
MOST_BYTES = 256 * 1024
LOOK_AGAIN_SECONDS = 0.5


class Answer:
    """A place in the order of answers; filled later, given out when all before it are."""

    __slots__ = ("filled", "frames", "size")

    def __init__(self, size: int) -> None:
        self.filled = False
        self.frames: list[Any] = []
        self.size = size  # Of the frame that it answers, in bytes.


class Answers:
    """Of one connection."""

    def __init__(self) -> None:
        # A list, though it is read from its beginning: it is short, an empty deque takes 600 bytes,
        # and most connections never send anything.
        self._owed: list[Answer] = []
        self._frames = self._bytes = 0
        self._room: asyncio.Event | None = None

    def reserve(self, size: int) -> Answer:
        answer = Answer(size)
        self._owed.append(answer)
        self._frames += 1
        self._bytes += size
        return answer

    def fill(self, answer: Answer, frames: tuple[Any, ...]) -> Iterator[Answer]:
        """Gives those that are next to be sent, this one perhaps among them."""
        answer.frames, answer.filled = list(frames), True
        while self._owed and self._owed[0].filled:
            yield self._owed.pop(0)

    def note_sent(self, answer: Answer) -> None:
        self._frames -= 1
        self._bytes -= answer.size
        self._note_change()

    def note_end(self, task: asyncio.Task[None]) -> None:
        """Of something else that was under way."""
        self._note_change()

    def _note_change(self) -> None:
        if self._room is not None:
            self._room.set()

    def is_full(self, more: int = 0) -> bool:
        """`more`: what else is under way for frames that have their answer."""
        return self._frames + more >= MOST_FRAMES or self._bytes >= MOST_BYTES

    async def wait_for_change(self) -> None:
        """A moment at most: the client may have gone meanwhile."""
        self._room = asyncio.Event()
        await runtime.wait_for(self._room, LOOK_AGAIN_SECONDS)
        self._room = None
