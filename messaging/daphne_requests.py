"""What Daphne does with one request, and what it lacks there: limits.

Imported by `messaging.daphne` only, after Daphne's server has installed the reactor.
"""

import asyncio
from io import BytesIO
from typing import Any

from daphne import http_protocol

from messaging import conf

Message = dict[str, Any]
Queue = asyncio.Queue[Message]

PIECE_BYTES = 64 * 1024  # Of a request's body.
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


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
