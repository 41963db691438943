"""Frames that no application sees: pings, pongs, goodbyes, pieces of a message that never ends.
Whoever throws them is cut off before it costs the process much; whoever needs them is served."""

import asyncio
import contextlib
import json
import socket as sockets
import struct
import tracemalloc

import pytest
import websockets
from daphne import ws_protocol
from twisted.internet.testing import StringTransport
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from messaging.close_codes import CloseCode
from messaging.daphne_sockets import SocketProtocol
from tests.live import Live
from tests.processes.pressing import MEBIBYTE, Memory, connect, expect, narrow_socket
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

LIMIT = 64 * 1024
SOCKETS = 4
THROWN = 2 * MEBIBYTE  # By each of them.
CLOSED = 7  # Of a TCP connection: nothing of it is left.
CLOSE_SECONDS = 20.0
FRAMES_AT_ONCE = 200
PIECES = 4_000  # Of two bytes; by itself each is kept in fifty.
UNREAD = 8_000  # Answers. More than the kernels keep, less than back-pressure waits for.


def frame(opcode: Opcode, payload: bytes = b"", *, last: bool = True) -> bytes:
    """As clients send it."""
    return Frame(opcode, payload, last).serialize(mask=True)


def begun(piece: bytes) -> tuple[bytes, bytes]:
    return frame(Opcode.TEXT, b'"', last=False), frame(Opcode.CONT, piece, last=False)


FLOODS = {
    "pings": (b"", frame(Opcode.PING, b"p" * 125)),
    "pongs": (b"", frame(Opcode.PONG, b"p" * 125)),
    "empty pieces": begun(b""),
    "pieces of a byte": begun(b"x"),
}


@pytest.fixture(scope="module")
def ana(live: Live) -> Visitor:
    return Visitor(live, "ana@example.com")


@pytest.fixture
def memory(live: Live) -> Memory:
    return Memory(live.processes["web"].pid)


async def throw(socket: websockets.ClientConnection, first: bytes, again: bytes) -> None:
    """As much as it takes."""
    piece, thrown = again * FRAMES_AT_ONCE, 0
    socket.transport.write(first)
    while thrown < THROWN and not is_closed(socket):
        socket.transport.write(piece)
        thrown += len(piece)
        while socket.transport.get_write_buffer_size() and not is_closed(socket):
            await asyncio.sleep(0.005)


def is_closed(socket: websockets.ClientConnection) -> bool:
    """By the kernel's word: who reads nothing is told by nobody else."""
    if socket.transport.is_closing():
        return True
    own = socket.transport.get_extra_info("socket")
    return bool(own.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_INFO, 1)[0] == CLOSED)


async def until_closed(socket: websockets.ClientConnection) -> None:
    async with asyncio.timeout(CLOSE_SECONDS):
        while not is_closed(socket):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("flood", FLOODS)
async def test_who_reads_nothing_is_cut_before_it_costs_a_mebibyte(
    live: Live, ana: Visitor, memory: Memory, flood: str
) -> None:
    async with contextlib.AsyncExitStack() as stack, memory.watched():
        deaf = [
            await stack.enter_async_context(
                connect(ana, "/ws/inbox/", sock=narrow_socket(live.port), close_timeout=1)
            )
            for _ in range(SOCKETS)
        ]
        for socket in deaf:
            socket.transport.pause_reading()
        await asyncio.gather(*(throw(socket, *FLOODS[flood]) for socket in deaf))
        with contextlib.suppress(TimeoutError):
            await asyncio.gather(*map(until_closed, deaf))
        print(f"{SOCKETS} sockets, {flood}: grew by {memory.growth:.1f} MiB")
        assert memory.growth < SOCKETS
        assert all(map(is_closed, deaf))


@pytest.mark.parametrize("flood", FLOODS)
async def test_who_reads_is_told_why(ana: Visitor, flood: str) -> None:
    async with connect(ana, "/ws/inbox/") as socket, connect(ana, "/ws/inbox/") as other:
        throwing = asyncio.create_task(throw(socket, *FLOODS[flood]))
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(10):
                async for _ in socket:
                    pass
        assert socket.close_code == CloseCode.FLOODING
        await throwing
        await other.send('{"type": "ping"}')
        await expect(other, "pong")


async def test_a_goodbye_that_nobody_reads_waits_for_nobody(live: Live, ana: Visitor) -> None:
    """What was sent before it would stay here for ever, with the connection."""
    goodbye = frame(Opcode.CLOSE, struct.pack("!H", 1000) + b"x" * 123)
    narrow = narrow_socket(live.port)
    async with connect(ana, "/ws/inbox/", sock=narrow, close_timeout=1) as socket:
        socket.transport.pause_reading()
        socket.transport.write(frame(Opcode.TEXT, b'{"type": "ping"}') * UNREAD)
        socket.transport.write(goodbye * FRAMES_AT_ONCE)
        await until_closed(socket)


def test_a_frame_that_comes_byte_by_byte_costs_its_size() -> None:
    """Without a network, which puts together what comes as fast as a test can send it."""
    protocol = ws_protocol.WebSocketFactory(None).buildProtocol(None)
    assert isinstance(protocol, SocketProtocol)
    protocol.makeConnection(StringTransport())  # type: ignore[no-untyped-call]
    protocol.state, protocol.websocket_version = protocol.STATE_OPEN, 13
    protocol.current_frame, protocol.inside_message = None, False
    protocol.dataReceived(struct.pack("!BBH4x", 0x80 | Opcode.TEXT, 0x80 | 126, LIMIT - 1))
    tracemalloc.start()
    try:
        for _ in range(PIECES):
            protocol.dataReceived(b"xx")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 2 * PIECES < kept < 8 * PIECES


async def test_pings_and_pieces_of_everyday_size_are_served(ana: Visitor) -> None:
    """The largest message in pieces of a kibibyte, as often as the limits of every day let anybody
    send one, with pings in between."""
    text = json.dumps({"type": "ping", "padding": "x" * (LIMIT - 100)})
    pieces = [text[start : start + 1024] for start in range(0, len(text), 1024)]
    async with connect(ana, "/ws/inbox/") as socket:
        for _ in range(60):
            answered = await socket.ping()
            await socket.send(pieces)
            await expect(socket, "pong")
            async with asyncio.timeout(10):
                await answered
