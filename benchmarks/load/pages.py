"""An HTTP client that costs little: one connection that stays open, one request after the other."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


class PageClient:
    """One person's. `connect` first."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._port = port
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    async def connect(self) -> "PageClient":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self._writer.write(
            (
                f"{method} {path} HTTP/1.1\r\nHost: localhost:{self._port}\r\n{self._head}{more}"
                f"Content-Length: {len(body)}\r\n\r\n"
            ).encode()
            + body
        )
        return await self._read()

    async def _read(self) -> Answer:
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, fields = int(head.split(b" ", 2)[1]), head.lower()
        if b"\r\ntransfer-encoding: chunked" in fields:
            return Answer(status, await self._read_chunks())
        length = int(fields.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0] or b"0")
        return Answer(status, await self._reader.readexactly(length))

    async def _read_chunks(self) -> bytes:
        body = b""
        while size := int(await self._reader.readline(), 16):
            body += await self._reader.readexactly(size)
            await self._reader.readline()
        await self._reader.readline()
        return body

    def close(self) -> None:
        self._writer.close()
