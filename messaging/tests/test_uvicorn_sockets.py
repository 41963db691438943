"""What the protocol on uvicorn does with what comes in one piece from the network, and with ends
that cross each other. Without a network; `tests/processes/test_uvicorn.py` has one."""

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from messaging import uvicorn_sockets
from messaging.uvicorn_sockets import SocketProtocol
from messaging.websocket_counts import MOST_QUEUED_FRAMES

HANDSHAKE = (
    b"GET /ws/ HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
MANY = 5_000


class Line(asyncio.Transport):
    """What is written to it, and how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.reads = True
        self.ended = ""
        self.protocol: Any = None

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        """As for somebody who reads nothing: it waits for ever."""
        self.ended = self.ended or "closing"

    def abort(self) -> None:
        self.ended = "cut"
        self.protocol.connection_lost(None)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return Kernel() if name == "socket" else default


class Kernel:
    family = 0

    def setsockopt(self, *arguments: Any) -> None:
        """There is nobody whom it could tell."""

    def getpeername(self) -> tuple[str, int]:
        return "127.0.0.1", 1

    getsockname = getpeername


class Talk:
    """One socket of an application that takes what it is told to take."""

    def __init__(self) -> None:
        config = uvicorn.Config(
            self.serve, ws_max_size=65_536, log_config=None, lifespan="off", interface="asgi3"
        )
        config.load()
        self.protocol = SocketProtocol(config=config, server_state=ServerState(), app_state={})
        self.line = Line()
        self.line.protocol = self.protocol
        self.heard: list[Any] = []
        self.goes_on = asyncio.Event()
        self.failure: BaseException | None = None

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        self.send = send
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        await self.goes_on.wait()
        while (message := await receive())["type"] != "websocket.disconnect":
            self.heard.append(message["text"])

    async def open(self) -> "Talk":
        self.protocol.connection_made(self.line)
        self.protocol.data_received(HANDSHAKE)
        async with asyncio.timeout(5):
            while b"101" not in self.line.written:
                await asyncio.sleep(0)
        return self

    def says(self, *frames: bytes) -> None:
        self.protocol.data_received(b"".join(frames))

    async def until_cut(self) -> None:
        async with asyncio.timeout(5):
            while self.line.ended != "cut":
                await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def talk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Talk]:
    monkeypatch.setattr(uvicorn_sockets, "GOODBYE_SECONDS", 0.05)
    opened = await Talk().open()
    yield opened
    if opened.line.ended != "cut":
        opened.line.abort()
    opened.goes_on.set()
    await asyncio.gather(*opened.protocol.tasks)


def text(words: str) -> bytes:
    return bytes(Frame(Opcode.TEXT, words.encode()).serialize(mask=True))


def goodbye() -> bytes:
    return bytes(Frame(Opcode.CLOSE, struct.pack("!H", 1000)).serialize(mask=True))


async def test_of_what_comes_at_once_little_is_kept_as_messages(talk: Talk) -> None:
    said = [str(number) for number in range(MANY)]
    talk.says(*map(text, said))
    assert talk.protocol.queue.qsize() <= MOST_QUEUED_FRAMES
    assert not talk.line.reads
    talk.goes_on.set()
    async with asyncio.timeout(10):
        while len(talk.heard) < MANY:
            await asyncio.sleep(0)
    assert talk.heard == said
    assert talk.line.reads


async def test_many_goodbyes_at_once_are_one(talk: Talk) -> None:
    talk.says(*[goodbye()] * 500, text("after it"))
    talk.goes_on.set()
    await talk.until_cut()
    assert talk.heard == []


@pytest.mark.parametrize(
    "frame",
    [
        bytes(Frame(Opcode.TEXT, b"not masked").serialize(mask=False)),
        bytes([0xC1]) + text("an extension")[1:],
        b"\x81\xff" + (1 << 40).to_bytes(8) + b"mask",
    ],
    ids=["not masked", "extension", "too large"],
)
async def test_who_breaks_the_rules_is_told_once_and_cut(talk: Talk, frame: bytes) -> None:
    talk.says(text("before"), frame, *[text("after")] * 100)
    talk.goes_on.set()
    await talk.until_cut()
    assert talk.heard == ["before"]
    assert talk.line.written.count(b"\x88") == 1


async def test_nobody_is_blamed_for_an_answer_that_was_not_read_here(talk: Talk) -> None:
    talk.says(text("waits"))
    talk.protocol.keepalive_timeout()
    assert talk.line.ended == ""
    talk.goes_on.set()
    async with asyncio.timeout(5):
        while not talk.heard:
            await asyncio.sleep(0)
    talk.protocol.keepalive_timeout()
    await talk.until_cut()


async def test_the_last_word_leaves_before_the_goodbye(talk: Talk) -> None:
    talk.protocol.send_text(b"by the short way")
    await talk.send({"type": "websocket.send", "text": "by the other"})
    talk.protocol.send_text(b"last")
    await talk.send({"type": "websocket.close", "code": 4412})
    written = talk.line.written
    places = [written.index(words) for words in (b"by the short way", b"by the other", b"last")]
    assert places == sorted(places)
    assert places[-1] < written.index(struct.pack("!H", 4412))
    await talk.send({"type": "websocket.close", "code": 4412})
    await talk.until_cut()


async def test_others_are_told_that_nobody_is_there(talk: Talk) -> None:
    talk.line.abort()
    with pytest.raises(ClientDisconnected):
        await talk.send({"type": "websocket.send", "text": "too late"})
    talk.protocol.send_text(b"too late")
    await asyncio.sleep(0)
    assert b"too late" not in talk.line.written


async def test_a_process_that_ends_passes_over_who_is_leaving(talk: Talk) -> None:
    talk.says(goodbye())
    talk.protocol.shutdown()
    await talk.until_cut()
