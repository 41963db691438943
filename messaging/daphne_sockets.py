"""What Daphne does with one socket, and what it lacks there: limits, and a short way out.

Imported by `messaging.daphne` only, after Daphne's server has installed the reactor.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from daphne import ws_protocol

from messaging.close_codes import CloseCode
from messaging.daphne_frames import count_unsent, put_together, write_now
from messaging.websocket_counts import MOST_QUEUED_FRAMES, FrameCount
from messaging.websocket_frames import read_whole_text, text_frame

Message = dict[str, Any]

MOST_QUEUED_BYTES = 64 * 1024  # Of what the application of one socket has not taken yet.


class TwistedTransport:
    """`messaging.transport.Transport` on Twisted."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def unsent_bytes(self) -> int:
        return count_unsent(self._protocol) + int(self._protocol.leaving_bytes)

    def is_lost(self) -> bool:
        return bool(self._protocol.is_lost)

    def send_text(self, text: str) -> bool:
        self._protocol.send_text(text.encode())
        return True

    def offer_texts(self, take: Callable[[str], bool]) -> None:
        self._protocol.take = take


class SocketProtocol(ws_protocol.WebSocketProtocol):
    """Reads nothing more while its application has not taken what came: by itself Daphne would keep
    in memory whatever somebody sends. What is not read stays in the network, and with its sender.
    """

    frame_data: Any  # autobahn's own: the pieces of the frame and of the message that come now.
    message_data: Any
    data: bytes  # What has been read from the network and is not understood yet.

    def __init__(self) -> None:
        super().__init__()
        self.autoPingTimeoutCall: Any = None
        self.is_lost = False
        self._is_paused = False
        self._is_over = False  # Nothing that still comes is heard.
        self._frames = FrameCount()
        self._queued: list[int] = []  # The size of each frame.
        self._queued_bytes = 0
        self._leaving: list[bytes] = []  # Frames of this turn of the loop.
        self.leaving_bytes = 0
        self.take: Callable[[str], bool] = lambda text: False
        self.is_awaited = False  # The application waits for the next frame.

    def send_text(self, payload: bytes) -> None:
        """A message, and nothing when the client is gone. autobahn's own way takes several times as
        long: it writes what it does in colours, for a log that nobody keeps."""
        if self.state != self.STATE_OPEN:
            return
        if not self._leaving:
            asyncio.get_running_loop().call_soon(self._let_leave)
        frame = text_frame(payload)
        self._leaving.append(frame)
        self.leaving_bytes += len(frame)

    def _let_leave(self) -> None:
        """What has come together in a turn of the loop is one write."""
        if self._leaving:
            data = b"".join(self._leaving)
            self._leaving.clear()
            self.leaving_bytes = 0
            write_now(self.transport, data)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: N802
        """Whatever autobahn itself sends comes after what has been sent before."""
        self._let_leave()
        super().sendData(data, sync, chopsize)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """What comes before the handshake is answered has to wait, too. autobahn would read the
        handshake once more for every piece."""
        if self.state == self.STATE_CONNECTING and hasattr(self, "handshake_deferred"):
            self.data += data
            self._pause()
        else:
            super().dataReceived(data)

    def serverAccept(self, subprotocol: str | None = None) -> None:  # noqa: N802
        super().serverAccept(subprotocol)
        self._go_on()

    def processData(self) -> bool:  # noqa: N802
        """Also what has been read from the network already waits."""
        if self._is_paused:
            return False
        if self.state == self.STATE_OPEN and self.current_frame is None and not self.inside_message:
            text, size = read_whole_text(self.data)
            if size:
                self.data = self.data[size:]
                self._take_text(text, size)
                return len(self.data) > 0
        return bool(super().processData())

    def _take_text(self, text: str, size: int) -> None:
        """What autobahn and Daphne do about one, without their dozen steps."""
        if self.autoPingTimeoutCall:
            self._cancelAutoPingTimeoutCall()
        self.last_ping = time.time()
        if self.is_awaited and not self._queued and self.take(text):
            return
        self.application_queue.put_nowait({"type": "websocket.receive", "text": text})
        self._note_queued(size)

    def _note_queued(self, size: int) -> None:
        self._queued.append(size)
        self._queued_bytes += size
        if self._has_enough():
            self._pause()

    def onFrameBegin(self) -> None:  # noqa: N802
        super().onFrameBegin()
        frame = self.current_frame
        if self._frames.is_exceeded(frame.opcode, is_last=frame.fin):
            self._end_flood()

    def _end_flood(self) -> None:
        """The goodbye has a second to arrive: autobahn cuts who has not answered it by then, and
        nothing is read any more in which an answer could be."""
        self._is_over = True
        self.sendClose(code=int(CloseCode.FLOODING))
        self._pause()

    def onMessageFrameData(self, payload: bytes) -> None:  # noqa: N802
        super().onMessageFrameData(payload)
        self.frame_data = put_together(self.frame_data)

    def onMessageFrameEnd(self) -> None:  # noqa: N802
        super().onMessageFrameEnd()
        self.message_data = put_together(self.message_data)

    def onMessageEnd(self) -> None:  # noqa: N802
        """autobahn's own makes a Deferred as well, for listeners that nobody has."""
        if not self.failedByMe:
            self._onMessage(b"".join(self.message_data), self.message_is_binary)
        self.message_data = None

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        if self.state != self.STATE_OPEN:
            return
        super().onMessage(payload, isBinary)
        self._note_queued(len(payload))

    def note_taken(self, message: Message) -> None:
        """The application has one frame fewer to take."""
        if message["type"] == "websocket.receive":
            self._queued_bytes -= self._queued.pop(0)
            if not self._has_enough():
                self._go_on()

    def _has_enough(self) -> bool:
        return len(self._queued) >= MOST_QUEUED_FRAMES or self._queued_bytes >= MOST_QUEUED_BYTES

    def _pause(self) -> None:
        self._is_paused = True
        self.transport.pauseProducing()

    def _go_on(self) -> None:
        if self._is_paused and not self._is_over:
            self._is_paused = False
            self._forget_ping()
            self.transport.resumeProducing()
            self.consumeData()

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802
        """From here on frames are read only to find the other side's answer among them."""
        super().serverClose(code)
        self._go_on()

    def _closeConnection(self, abort: bool = False) -> None:  # noqa: N802
        """Otherwise all that was sent before a goodbye would stay here, with the connection, for as
        long as the other side reads nothing: its own goodbye ends the application's watch on it."""
        self._let_leave()
        super()._closeConnection(abort)
        if not abort:
            asyncio.get_running_loop().call_later(
                self.closeHandshakeTimeout, self.transport.abortConnection
            )

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: N802, N803
        self.is_lost = True
        super().onClose(wasClean, int(CloseCode.FLOODING) if self._is_over else code, reason)

    def check_timeouts(self) -> None:
        """Nobody is asked for a sign of life that would not be heard."""
        if self._is_paused and self.state == self.STATE_OPEN:
            self.last_ping = time.time()
        super().check_timeouts()

    def onAutoPingTimeout(self) -> None:  # noqa: N802
        """The answer to the ping may be among what has not been read."""
        if self._is_paused:
            self._forget_ping()
        else:
            super().onAutoPingTimeout()

    def _forget_ping(self) -> None:
        if self.autoPingTimeoutCall is not None:
            self.autoPingTimeoutCall.cancel()
        self.autoPingTimeoutCall = self.autoPingPending = None


ws_protocol.WebSocketFactory.protocol = SocketProtocol


class FrameQueue:
    """What asyncio's queue does, for one reader and in a tenth of its memory."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._something: asyncio.Future[None] | None = None

    def put_nowait(self, message: Message) -> None:
        self._messages.append(message)
        if self._something is not None and not self._something.done():
            self._something.set_result(None)

    async def get(self) -> Message:
        while not self._messages:
            self._something = asyncio.get_running_loop().create_future()
            await self._something
        self._something = None
        return self._messages.pop(0)


class FrameReader:
    """`receive` of one socket: what it gives is not in the server any more."""

    def __init__(self, queue: FrameQueue, protocol: SocketProtocol) -> None:
        self._queue, self._protocol = queue, protocol

    async def __call__(self) -> Message:
        self._protocol.is_awaited = True
        try:
            message = await self._queue.get()
        finally:
            self._protocol.is_awaited = False
        self._protocol.note_taken(message)
        return message


class FrameWriter:
    """`send` of one socket: a message takes the short way, and everything else Daphne's."""

    def __init__(
        self, protocol: SocketProtocol, reply: Callable[[Message], Awaitable[None]]
    ) -> None:
        self._protocol, self._reply = protocol, reply

    async def __call__(self, message: Message) -> None:
        if message["type"] == "websocket.send" and message.get("text") is not None:
            self._protocol.send_text(message["text"].encode())
        else:
            await self._reply(message)
