"""The way out of one connection: one thing at a time, so that nothing overtakes anything.

What goes out may wait for the database in the middle, and nobody waits for it. What only sends
begins at once, and is mostly over before there would have been a task for it.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, ClassVar

from channels.generic.websocket import AsyncWebsocketConsumer

from messaging import runtime
from messaging.close_codes import CloseCode
from messaging.events import Frame, encode
from messaging.transport import WAITING_BYTES, Pace, size_of


class Mailbox(AsyncWebsocketConsumer):
    """Events are handled by the method of their type, as everywhere in Channels."""

    # Here and in what inherits from it: a dictionary with more than thirty names shares them with
    # no other connection's, and takes five times the memory.
    __slots__ = (
        *("_mailbox", "_pace", "_tasks", "_waiting_bytes", "_working"),
        *("context", "is_ending", "open"),
    )

    # Events that do not wait their turn behind what a slow client has not taken yet.
    ends: ClassVar[frozenset[str]] = frozenset({"session_ended", "displaced"})
    # Events whose handlers do nothing but send.
    sent_at_once: ClassVar[frozenset[str]] = frozenset({"answer"})

    def __init__(self) -> None:
        super().__init__()
        self.open = False
        self.is_ending = False  # It is decided: nothing more goes out, or is taken.
        # Of everything that goes on here: whose it is in the log, and their language.
        self.context = Context()
        self._pace: Pace
        # A deque when it is needed first: one takes 600 bytes, and most people only listen.
        self._mailbox: deque[Any] | None = None
        self._waiting_bytes = 0
        self._working: asyncio.Task[None] | None = None
        self._tasks: dict[asyncio.Task[None], None] = {}  # A set would be three times as large.

    def post(self, event: Any) -> None:
        """Hand this connection something to do. Never waits."""
        if not self.open or self.is_ending:
            return
        if event["type"] in self.ends:  # Nothing that waits may go out any more.
            self._mailbox, self.is_ending = None, True
            self.start(self.dispatch(event))
        elif self._working is not None and not self._working.done():
            self._put(event)
        elif event["type"] in self.sent_at_once:
            self._working = runtime.begin(self._work(event), self.context)
        else:
            self._working = runtime.spawn(self._work(event), self.context)

    def _put(self, event: Any) -> None:
        if self._mailbox is None:
            self._mailbox, self._waiting_bytes = deque(), 0
        self._mailbox.append(event)
        self._waiting_bytes += size_of(event)
        if self._waiting_bytes > WAITING_BYTES:
            self._mailbox = None
            self.start(self.close(CloseCode.TOO_SLOW))

    async def _work(self, event: Any) -> None:
        await self.dispatch(event)
        while self._mailbox and self.open:
            event = self._mailbox.popleft()
            self._waiting_bytes -= size_of(event)
            await self.dispatch(event)
        self._mailbox = self._working = None

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Work beside the mailbox, which nothing else waits for."""
        task = runtime.spawn(coroutine, self.context)
        self._tasks[task] = None
        task.add_done_callback(self.note_end)

    def note_end(self, task: asyncio.Task[None]) -> None:
        """Something that was started is over."""
        self._tasks.pop(task, None)

    async def send(
        self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False
    ) -> None:
        """Text only. What comes too late, say after a wait within a replay, is dropped."""
        if not self.open or self._pace.send_text(text_data or ""):
            return
        await self._pace.room_for_more()
        if not self._is_over() and not self._pace.send_text(text_data or ""):
            await super().send(text_data=text_data)

    def _is_over(self) -> bool:
        """By a method, since a type checker knows the answer of before the wait."""
        return not self.open

    async def send_frame(self, frame: Frame) -> None:
        await self.send(text_data=encode(frame))
