"""What Daphne does with one request and with one socket, and what it lacks there: limits.

Imported by `messaging.daphne` only, after Daphne's server has installed the reactor.
"""

import asyncio
import time
from collections import deque
from io import BytesIO
from typing import Any

from daphne import http_protocol, ws_protocol

from messaging import conf
from messaging.close_codes import CloseCode

Message = dict[str, Any]
Queue = asyncio.Queue[Message]

# What one socket may have here that its application has not taken yet.
MOST_QUEUED_FRAMES = 16
MOST_QUEUED_BYTES = 64 * 1024
# Frames that its application never sees. Pongs are owed for the first kind: whoever reads nothing
# and stays within the limit leaves 25 KB of them here in ten seconds, which back-pressure counts.
MOST_CONTROL_FRAMES = 200  # Pings, pongs and goodbyes, in ten seconds.
MOST_FRAGMENTS = 256  # Of one message.
MOST_RECENT_FRAGMENTS = 4096  # In ten seconds: 60 messages of 64 KiB in pieces of a kibibyte.
RECENT_SECONDS = 10.0
MOST_LOOSE_PIECES = 64  # Of one message, before they are put together.
CONTROL_OPCODES = 8  # And above.
PIECE_BYTES = 64 * 1024  # Of a request's body.
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class TwistedTransport:
    """`messaging.transport.Transport` on Twisted."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def unsent_bytes(self) -> int:
        return count_unsent(self._protocol)

    def is_lost(self) -> bool:
        return bool(self._protocol.is_lost)


def count_unsent(protocol: Any) -> int:
    """Bytes that Twisted still has for the other side."""
    transport = protocol.transport
    if transport is None:
        return 0
    waiting: int = len(transport.dataBuffer) - transport.offset + transport._tempDataLen
    return waiting


class Request(http_protocol.WebRequest):
    """Twisted would read every form before the application sees it, and answer one that it cannot
    read with an empty page. Django reads forms itself, within its limits."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.content: Any = None
        super().__init__(*arguments, **options)
        self._parsePOSTFormSubmission = False
        self._received = 0
        self._is_refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        super().gotLength(length)
        self._refuse_beyond_limit(length or 0)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        self._received += len(data)
        self._refuse_beyond_limit(self._received)
        if not self._is_refused:
            super().handleContentChunk(data)

    def requestReceived(self, *arguments: Any) -> None:  # noqa: N802
        if not self._is_refused:
            super().requestReceived(*arguments)

    def _refuse_beyond_limit(self, size: int) -> None:
        """By itself Daphne would put any body on the disk, and that of a handshake into memory."""
        wanted = self.requestHeaders.getRawHeaders(b"Upgrade", [b""])[0]  # As Daphne decides it.
        most = 0 if wanted.lower() == b"websocket" else conf.largest_request()
        if self._is_refused or size <= most:
            return
        self._is_refused = True
        self.channel.transport.write(TOO_LARGE)
        self.channel.dataReceived = ignore
        self.channel.loseConnection()

    def take_body(self) -> Any:
        """The whole body, which Daphne then finds empty: it would copy all of it to memory."""
        body, self.content = self.content, BytesIO()
        return body


def ignore(data: bytes) -> None:
    """What still comes from who has been refused."""


http_protocol.WebRequest = Request


class RecentCount:
    """How often something has happened in these ten seconds."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count, self._since = 0, 0.0

    def is_exceeded(self) -> bool:
        """By this time, which counts."""
        now = time.monotonic()
        if now - self._since >= RECENT_SECONDS:
            self._count, self._since = 0, now
        self._count += 1
        return self._count > self._most


class FrameCount:
    """The frames of one socket that its application never sees. The others have limits there."""

    def __init__(self) -> None:
        self._controls = RecentCount(MOST_CONTROL_FRAMES)
        self._fragments = RecentCount(MOST_RECENT_FRAGMENTS)
        self._of_this_message = 0

    def is_exceeded(self, opcode: int, *, is_last: bool) -> bool:
        """By this frame, of which only the header has come yet."""
        if opcode >= CONTROL_OPCODES:
            return self._controls.is_exceeded()
        self._of_this_message += 1
        too_many = self._of_this_message > MOST_FRAGMENTS
        if is_last:
            self._of_this_message = 0
            return too_many
        return self._fragments.is_exceeded() or too_many


def put_together(pieces: list[bytes]) -> list[bytes]:
    """autobahn keeps each as it came, however small; empty ones as well."""
    return [b"".join(pieces)] if len(pieces) > MOST_LOOSE_PIECES else pieces


class SocketProtocol(ws_protocol.WebSocketProtocol):
    """Reads nothing more while its application has not taken what came: by itself Daphne would keep
    in memory whatever somebody sends. What is not read stays in the network, and with its sender.
    """

    frame_data: Any  # autobahn's own: the pieces of the frame and of the message that come now.
    message_data: Any

    def __init__(self) -> None:
        super().__init__()
        self.autoPingTimeoutCall: Any = None
        self.is_lost = False
        self._is_paused = False
        self._is_over = False  # Nothing that still comes is heard.
        self._frames = FrameCount()
        self._queued: deque[int] = deque()  # The size of each frame.
        self._queued_bytes = 0

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
        return not self._is_paused and bool(super().processData())

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

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        if self.state != self.STATE_OPEN:
            return
        self._queued.append(len(payload))
        self._queued_bytes += len(payload)
        super().onMessage(payload, isBinary)
        if self._has_enough():
            self._pause()

    def note_taken(self, message: Message) -> None:
        """The application has one frame fewer to take."""
        if message["type"] == "websocket.receive":
            self._queued_bytes -= self._queued.popleft()
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


class FrameReader:
    """`receive` of one socket: what it gives is not in the server any more."""

    def __init__(self, queue: Queue, protocol: SocketProtocol) -> None:
        self._queue, self._protocol = queue, protocol

    async def __call__(self) -> Message:
        message = await self._queue.get()
        self._protocol.note_taken(message)
        return message


class BodyReader:
    """`receive` of one request: its body piece by piece, as it is wanted."""

    def __init__(self, queue: Queue, request: Request) -> None:
        self._queue, self._body = queue, request.take_body()

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._queue.get()
        piece = self._body.read(PIECE_BYTES)
        if len(piece) == PIECE_BYTES:
            return {"type": "http.request", "body": piece, "more_body": True}
        self._body = None
        own = await self._queue.get()  # Daphne's own, which is empty.
        is_last = own["type"] == "http.request"
        return {"type": "http.request", "body": piece, "more_body": False} if is_last else own
