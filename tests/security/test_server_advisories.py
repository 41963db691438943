"""What published advisories did to the servers and libraries under us, tried on a real process:
refused, and without costing it memory. R1 … R6 and R32 of the list that docs/security.md keeps."""

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import websockets
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.live import Live
from tests.processes.pressing import Memory, connect, expect
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

LIMIT = 64 * 1024
CONTROL_CHARACTERS = b"\x0b\x0c\x1c\x1d\x1e\x85"


@pytest.fixture(scope="module")
def ana(live: Live) -> Visitor:
    return Visitor(live, "ana@example.com")


@pytest.fixture
def memory(live: Live) -> Memory:
    return Memory(live.processes["web"].pid)


async def close_code(socket: websockets.ClientConnection) -> int:
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(10):
            async for _ in socket:
                pass
    return socket.close_code or 1006


# --- R1, R3, R32: sockets ------------------------------------------------------------------------


async def test_r1_too_large_a_frame_costs_no_memory(ana: Visitor, memory: Memory) -> None:
    for _ in range(20):
        async with connect(ana, "/ws/inbox/") as socket:
            with contextlib.suppress(ConnectionClosed):
                await socket.send("x" * (LIMIT + 1))
            assert await close_code(socket) in (1006, 1009)
    assert memory.growth < 5


async def test_r1_a_thousand_fragments_cost_no_memory(ana: Visitor, memory: Memory) -> None:
    for _ in range(5):
        async with connect(ana, "/ws/inbox/") as socket:
            with contextlib.suppress(ConnectionClosed):
                await socket.send(itertools.repeat("x" * 100, 1_000))
            assert await close_code(socket) in (1006, 4429)
    assert memory.growth < 5


async def test_r3_no_extension_is_negotiated(ana: Visitor) -> None:
    """Inflating is where a small frame becomes a large one; the client offers to deflate."""
    async with connect(ana, "/ws/inbox/", compression="deflate") as socket:
        assert socket.request is not None
        assert socket.response is not None
        assert "permessage-deflate" in socket.request.headers["Sec-WebSocket-Extensions"]
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


@pytest.mark.parametrize("opening", ["[", '{"a":'])
async def test_r32_deep_json_is_answered(ana: Visitor, memory: Memory, opening: str) -> None:
    async with connect(ana, "/ws/inbox/") as socket:
        await expect(socket, "ready")
        for _ in range(20):
            await socket.send((opening * LIMIT)[:LIMIT])
            assert (await expect(socket, "error"))["code"] in ("invalid", "invalid_json")
        await socket.send('{"type": "ping"}')
        await expect(socket, "pong")
    assert memory.growth < 5


async def test_r32_binary_frames_end_it_whatever_is_in_them(ana: Visitor, memory: Memory) -> None:
    """An array of 2³²−1 elements, as MessagePack announces it."""
    async with connect(ana, "/ws/inbox/") as socket:
        await socket.send(b"\xdd\xff\xff\xff\xff" + b"\xc0" * 1_000)
        assert await close_code(socket) == 4400
    assert memory.growth < 5


async def test_what_comes_before_the_handshake_is_answered_has_to_wait(
    live: Live, ana: Visitor, memory: Memory
) -> None:
    """Frames that follow a handshake: they are read, and no handshake is read twice.

    In one packet with it they would be nobody's: RFC 6455 §4.1 has clients wait for the answer.
    """
    ping = Frame(Opcode.TEXT, b'{"type": "ping"}').serialize(mask=True)
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    writer.write(handshake(live, ana))
    async with asyncio.timeout(20):
        while unread_bytes(writer):
            await asyncio.sleep(0)
    for _ in range(50):
        writer.write(ping)
        await asyncio.sleep(0)
    heard = b""
    async with asyncio.timeout(20):
        while heard.count(b'"pong"') < 50:
            piece = await reader.read(LIMIT)
            assert piece, heard[-200:]
            heard += piece
    assert heard.startswith(b"HTTP/1.1 101")
    writer.close()
    assert memory.growth < 5


def handshake(live: Live, who: Visitor, *more: bytes) -> bytes:
    lines = [
        "GET /ws/inbox/ HTTP/1.1",
        f"Host: localhost:{live.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Origin: {live.url}",
        f"Cookie: {who.cookie_header}",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    return b"\r\n".join([*(line.encode() for line in lines), *more, b"", b""])


def unread_bytes(writer: asyncio.StreamWriter) -> int:
    """What the other end of a connection on this machine has not read yet."""
    own, other = (f":{writer.get_extra_info(name)[1]:04X}" for name in ("sockname", "peername"))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    [row] = [row for row in rows if row[1].endswith(other) and row[2].endswith(own)]
    return int(row[4].split(":")[1], 16)


# --- R2, R4, R5, R6: requests --------------------------------------------------------------------


def ask(live: Live, *pieces: bytes | Iterable[bytes]) -> bytes:
    """All that is answered until the server has nothing more to say, or cuts."""
    heard = b""
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as connection:
        with contextlib.suppress(OSError):
            for piece in pieces:
                for part in [piece] if isinstance(piece, bytes) else piece:
                    connection.sendall(part)
        with contextlib.suppress(OSError):
            while piece := connection.recv(LIMIT):
                heard += piece
    return heard


def head(live: Live, *lines: bytes, path: bytes = b"/accounts/login/") -> bytes:
    host = b"Host: localhost:%d" % live.port
    return b"\r\n".join([b"POST %s HTTP/1.1" % path, host, *lines, b"", b""])


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.mark.parametrize("character", [bytes([code]) for code in CONTROL_CHARACTERS])
def test_r2_no_header_is_smuggled_in_another(live: Live, character: bytes) -> None:
    smuggled = b"X-Note: one" + character + b"X-Forwarded-For: 10.0.0.1"
    assert (
        status(ask(live, head(live, b"Content-Length: 0", b"Connection: close", smuggled))) == 400
    )


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        ([b"Content-Length: 6", b"Transfer-Encoding: chunked"], b"0\r\n\r\nG"),
        ([b"Content-Length: +5"], b"x=yes"),
        ([b"Content-Length: 5", b"Content-Length: 6"], b"x=yes1"),
        ([b"Transfer-Encoding: chunked"], b"0x5\r\nx=yes\r\n0\r\n\r\n"),
        ([b"Transfer-Encoding: chunked"], b"+5\r\nx=yes\r\n0\r\n\r\n"),
    ],
    ids=["both", "plus", "two lengths", "0x", "plus in a chunk"],
)
def test_r4_an_ambiguous_length_is_refused(live: Live, lines: list[bytes], body: bytes) -> None:
    answer = ask(live, head(live, *lines) + body)
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1


def test_r4_pipelined_answers_come_in_order(live: Live) -> None:
    """The first is slow: it asks the database."""
    host = b"Host: localhost:%d\r\n" % live.port
    answer = ask(
        live,
        b"GET /health/ready/ HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /health/live/ HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n",
    )
    first, second = answer.split(b"HTTP/1.1 ")[1:]
    assert b'"database"' in first
    assert b'"database"' not in second


def chunks(mebibytes: int) -> Iterator[bytes]:
    for _ in range(mebibytes):
        yield b"100000\r\n" + b"x" * (1024 * 1024) + b"\r\n"
    yield b"0\r\n\r\n"


def test_r5_a_body_of_200_megabytes_is_cut_off(live: Live, memory: Memory) -> None:
    """In chunks, which say nothing of how much is still to come."""
    began = time.monotonic()
    answer = ask(live, head(live, b"Transfer-Encoding: chunked"), chunks(200))
    assert status(answer) in (413, 0)  # 0: cut before the client listened.
    assert memory.growth < 16
    assert live.health()["database"] == "ok"
    assert time.monotonic() - began < 30


def test_r5_a_length_beyond_the_limit_is_refused_at_once(live: Live, memory: Memory) -> None:
    assert status(ask(live, head(live, b"Content-Length: 209715200"))) == 413
    assert memory.growth < 5


def test_r5_a_large_body_goes_through_without_costing_its_size(live: Live, memory: Memory) -> None:
    """What the limit lets through reaches Django piece by piece, which refuses it here."""
    answer = ask(live, head(live, b"Transfer-Encoding: chunked", b"Connection: close"), chunks(40))
    assert status(answer) in (400, 403, 413)
    assert memory.growth < 16


@pytest.mark.parametrize(
    ("length", "body"),
    [
        (b"Content-Length: 1", b""),
        (b"Content-Length: 41943040", b"x" * 40 * 1024 * 1024),
        (b"Transfer-Encoding: chunked", b"5\r\nx=yes\r\n"),
    ],
    ids=["one byte", "40 MiB", "chunked"],
)
def test_r5_a_handshake_has_no_body(
    live: Live, ana: Visitor, memory: Memory, length: bytes, body: bytes
) -> None:
    """Daphne would read it whole into memory, and the socket take it for its first frames."""
    answer = ask(live, handshake(live, ana, length), body)
    assert status(answer) in (413, 0)  # 0: cut before the client listened.
    assert b"HTTP/1.1 101" not in answer
    assert status(answer) == 413 or len(body) > LIMIT
    assert memory.growth < 16
    assert live.health()["database"] == "ok"


def test_r5_what_is_no_handshake_may_ask_for_an_upgrade_and_have_a_body(live: Live) -> None:
    lines = [b"Upgrade: h2c", b"Content-Length: 5", b"Connection: close"]
    assert status(ask(live, head(live, *lines) + b"x=yes")) in (400, 403)


def test_r5_an_understated_length_is_no_second_body(live: Live) -> None:
    answer = ask(live, head(live, b"Content-Length: 5") + b"x=yes" + b"y" * 1_000 + b"\r\n\r\n")
    assert answer.split(b"HTTP/1.1 ")[-1].startswith(b"400")


def test_r6_five_thousand_equal_headers_are_refused(live: Live, memory: Memory) -> None:
    """Within a second; the best of some tries, because others use this machine too."""
    request = head(live, b"Content-Length: 0", *[b"X-Again: 1"] * 5_000)
    seconds = []
    for _ in range(5):
        began = time.monotonic()
        assert status(ask(live, request)) == 400
        seconds.append(time.monotonic() - began)
    assert min(seconds) < 1
    assert memory.growth < 5
