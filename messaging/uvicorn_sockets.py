"""What uvicorn does with one socket, and what it lacks there: limits, and a short way in and out.

uvicorn stops reading after every message until the application has taken it, which costs the kernel
two calls a message, and it writes each by itself.
"""

import socket
import struct
from asyncio import TimerHandle
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from messaging.close_codes import CloseCode
from messaging.transport import EXTENSION
from messaging.websocket_counts import MOST_QUEUED_FRAMES, FrameCount
from messaging.websocket_frames import (
    CONTROL_OPCODES,
    LAST,
    LONGEST_HEAD,
    OPCODE,
    read_whole_text,
    size_of_frame,
    text_frame,
)

GOODBYE_SECONDS = 1.0
ENDS_AND_BEGINNINGS = ("websocket.accept", "websocket.close")
AT_ONCE = struct.pack("ii", 1, 0)  # What is not sent when a socket is closed, is not sent.


class AsyncioTransport:
    """`messaging.transport.Transport` on asyncio."""

    def __init__(self, protocol: "SocketProtocol") -> None:
        self._protocol = protocol

    def unsent_bytes(self) -> int:
        return self._protocol.transport.get_write_buffer_size() + self._protocol.leaving_bytes

    def is_lost(self) -> bool:
        return self._protocol.disconnected

    def send_text(self, text: str) -> bool:
        self._protocol.send_text(text.encode())
        return True

    def offer_texts(self, take: Callable[[str], bool]) -> None:
        self._protocol.take = take


class SocketProtocol(WebSocketsSansIOProtocol):
    """Gives uvicorn's own reader whole frames only, so that between them it is known to be at the
    beginning of one."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._left = bytearray()  # What has come of a frame that is not whole yet.
        self._wanted = 0  # So many bytes of it are worth another look.
        self._is_inside_message = False
        self._is_over = False  # Nothing that still comes is understood.
        self._frames = FrameCount()
        self._leaving: list[bytes] = []  # Frames of this turn of the loop.
        self.leaving_bytes = 0
        self.take: Callable[[str], bool] = lambda text: False
        self._is_awaited = False  # The application waits for the next message.

    # --- In --------------------------------------------------------------------------------------

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            extensions: Any = self.scope["extensions"]
            extensions[EXTENSION] = AsyncioTransport(self)

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:  # This is the whole handshake.
            super().data_received(data)
        elif not self._is_over:
            self._left += data
            if not self.handshake_complete:  # Who speaks before there is an answer waits for it.
                self.transport.pause_reading()
            elif len(self._left) >= self._wanted:
                self._read_what_was_left()

    def _read_what_was_left(self) -> None:
        data, self._wanted = bytes(self._left), 0
        self._left.clear()
        self._read_frames(data)

    def _read_frames(self, data: bytes) -> None:
        at = 0
        while at < len(data) and not (self._is_over or self.transport.is_closing()):
            size = 0 if self._has_enough() else self._read_one(data, at)
            if not size:
                self._left += data[at:]
                return
            at += size

    def _has_enough(self) -> bool:
        """What else has come already waits for the application, too; `receive` goes on."""
        return not self.close_sent and self.queue.qsize() >= MOST_QUEUED_FRAMES

    def _read_one(self, data: bytes, at: int) -> int:
        """How long it was; 0 when it is not whole, and is left."""
        size = self._read_text(data, at) or self._read_frame(data, at)
        if not size:
            self._wanted = size_of_frame(data, at) or len(data) - at + 1
        return size

    def _read_text(self, data: bytes, at: int) -> int:
        if self._is_inside_message or self.close_sent:
            return 0
        text, size = read_whole_text(data, at)
        if size and not (self._is_awaited and self.queue.empty() and self.take(text)):
            self.queue.put_nowait({"type": "websocket.receive", "text": text})
            self._wait_for_application()
        return size

    def _wait_for_application(self) -> None:
        """As uvicorn does; `receive` goes on."""
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def _read_frame(self, data: bytes, at: int) -> int:
        """Any other, by uvicorn's own reader. A head alone says that one is too large."""
        size = size_of_frame(data, at)
        if size > (self.config.ws_max_size or 0) + LONGEST_HEAD:
            self._is_over = True
            super().data_received(data[at:])
        elif size and len(data) >= at + size and self._may_come(data[at]):
            if not self.close_sent or data[at] & OPCODE >= CONTROL_OPCODES:
                super().data_received(data[at : at + size])
            return size
        return 0

    def _may_come(self, first: int) -> bool:
        opcode, is_last = first & OPCODE, bool(first & LAST)
        if opcode < CONTROL_OPCODES:
            self._is_inside_message = not is_last
        if not self._frames.is_exceeded(opcode, is_last=is_last):
            return True
        self._end_flood()
        return False

    def _end_flood(self) -> None:
        """Nothing is read any more; the goodbye has a moment to arrive."""
        self._is_over = True
        self.transport.pause_reading()
        self.close_timer = self._cut_soon()  # Else uvicorn closes as soon as the application ends.
        if not self.close_sent:
            self._let_leave()
            code = int(CloseCode.FLOODING)
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
            self.conn.send_close(code)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True

    async def receive(self) -> Any:
        self._is_awaited = True
        try:
            message = await super().receive()
        finally:
            self._is_awaited = False
        if self._left and not self._wanted and self.queue.empty():
            self._read_what_was_left()
        return message

    # --- Out -------------------------------------------------------------------------------------

    async def send(self, message: Any) -> None:
        """Texts of other applications, and whatever is none. What the network has overtaken, a
        goodbye to who has gone for instance, is nobody's mistake."""
        kind = message["type"]
        if kind in ENDS_AND_BEGINNINGS and (self.close_sent or self.disconnected):
            self._cut_soon()
            return
        self._let_leave()
        if kind == "websocket.close":
            self.writable.set()  # A goodbye waits for nobody to read what was sent before.
        await super().send(message)
        if kind == "websocket.accept":
            self.transport.resume_reading()
            self._read_what_was_left()
        elif kind == "websocket.close":
            self._cut_soon()
            self._read_what_was_left()  # The other side's goodbye may be in it.

    def send_text(self, payload: bytes) -> None:
        """Nothing when the client is gone."""
        if self.close_sent or self.disconnected:
            return
        if not self._leaving:
            self.loop.call_soon(self._let_leave)
        frame = text_frame(payload)
        self._leaving.append(frame)
        self.leaving_bytes += len(frame)

    def _let_leave(self) -> None:
        """What has come together in a turn of the loop is one write, and before any goodbye."""
        if not self._leaving:
            return
        data = b"".join(self._leaving)
        self._leaving.clear()
        self.leaving_bytes = 0
        if not (self.close_sent or self.disconnected or self.transport.is_closing()):
            self.transport.write(data)

    def handle_close(self, event: Any) -> None:
        self._let_leave()
        super().handle_close(event)
        self._cut_soon()

    def _cut_soon(self) -> TimerHandle:
        """uvicorn would keep whatever was sent before a goodbye, and the connection with it, for as
        long as the other side reads nothing; and after that so would the kernel."""
        return self.loop.call_later(GOODBYE_SECONDS, self._cut)

    def _cut(self) -> None:
        line = self.transport.get_extra_info("socket")
        if line is not None and not self.disconnected:
            with suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            self.transport.abort()

    def handle_parser_exception(self) -> None:
        self._let_leave()
        super().handle_parser_exception()
        self._is_over = True
        self._cut_soon()

    def keepalive_timeout(self) -> None:
        """The answer to the ping may be among what is not read, because nobody takes it here."""
        if self.read_paused and not self.close_sent:
            self.pong_timer = self.pending_ping_payload = None
            self.schedule_ping()
            return
        self._let_leave()
        super().keepalive_timeout()
        self._cut_soon()

    def shutdown(self) -> None:
        if self.transport.is_closing():
            self.stop_keepalive()
            return
        self._let_leave()
        super().shutdown()
        self._cut_soon()
