"""A WebSocket client that costs little: the generator of load must not be what is measured.

RFC 6455 as far as these servers speak it: frames in one piece, no extensions.
"""

import asyncio
import base64
import os
from collections.abc import Callable, Mapping

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
FINAL, MASKED = 0x80, 0x80
SHORT, MEDIUM, LONG = 125, 126, 127
LONGEST_MEDIUM = 0xFFFF


class Refused(ConnectionError):
    """The handshake was answered with something else than 101, or with nothing."""


class Client(asyncio.Protocol):
    """One connection. `on_text` is called with each text as bytes; it must not block."""

    def __init__(self, request: bytes, on_text: Callable[[bytes], object]) -> None:
        self._request, self._on_text = request, on_text
        self._left = b""
        self._is_open = False
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[int] = loop.create_future()
        self._mask = os.urandom(4)

    # --- asyncio.Protocol ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(Refused("Nobody answered"))
        if not self.closed.done():
            self.closed.set_result(1006)

    def data_received(self, data: bytes) -> None:
        if self._left:
            data = self._left + data
        position = 0 if self._is_open else self._read_handshake(data)
        self._left = data[self._read_frames(data, position) :] if self._is_open else data

    def _read_handshake(self, data: bytes) -> int:
        end = data.find(b"\r\n\r\n")
        if end < 0 or self.opened.done():
            return 0
        if not data.startswith(b"HTTP/1.1 101 "):
            self.opened.set_exception(Refused(data[: data.find(b"\r\n")].decode("latin-1")))
            self._transport.abort()
            return 0
        self._is_open = True
        self.opened.set_result(None)
        return end + 4

    def _read_frames(self, data: bytes, position: int) -> int:
        """Where the first frame begins that has not come whole."""
        end = len(data)
        while end - position >= 2:
            length, start = data[position + 1], position + 2
            if length >= MEDIUM:
                more = 2 if length == MEDIUM else 8
                if end - start < more:
                    break
                length = int.from_bytes(data[start : start + more])
                start += more
            if end - start < length:
                break
            self._take(data[position], data[start : start + length])
            position = start + length
        return position

    def _take(self, first: int, payload: bytes) -> None:
        kind = first & 0x0F
        assert first & FINAL, "a frame in pieces"
        if kind == TEXT:
            self._on_text(payload)
        elif kind == PING:
            self._write(PONG, payload)
        elif kind == CLOSE:
            if not self.closed.done():
                self.closed.set_result(int.from_bytes(payload[:2]) if payload else 1005)
            self._transport.close()

    # --- What the load does ----------------------------------------------------------------------

    def send(self, text: bytes) -> None:
        self._write(TEXT, text)

    def _write(self, kind: int, payload: bytes) -> None:
        length = len(payload)
        if length <= SHORT:
            head = bytes((FINAL | kind, MASKED | length))
        elif length <= LONGEST_MEDIUM:
            head = bytes((FINAL | kind, MASKED | MEDIUM)) + length.to_bytes(2)
        else:
            head = bytes((FINAL | kind, MASKED | LONG)) + length.to_bytes(8)
        self._transport.write(head + self._mask + self._masked(payload))

    def _masked(self, payload: bytes) -> bytes:
        length = len(payload)
        mask = (self._mask * (length // 4 + 1))[:length]
        return (int.from_bytes(payload) ^ int.from_bytes(mask)).to_bytes(length)

    def abort(self) -> None:
        """As when the network goes."""
        self._transport.abort()


async def connect(
    port: int, path: str, headers: Mapping[str, str], on_text: Callable[[bytes], object]
) -> Client:
    """An open connection. Refused or OSError when there is none."""
    request = make_request(port, path, headers)
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(request, on_text), "127.0.0.1", port)
    await client.opened
    return client


def make_request(port: int, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: localhost:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
