"""What only the real server can show: frames that break its limits, and paths that lead nowhere."""

import asyncio
import contextlib
import json
import urllib.parse
from typing import Any

import pytest
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.live import Live
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

LIMIT = 64 * 1024
INBOX = "/ws/inbox/"


@pytest.fixture
def visitor(live: Live) -> Visitor:
    return Visitor(live, "ana@example.com")


def connect(
    visitor: Visitor, path: str = INBOX, *, origin: str = "", cookie: str | None = None
) -> websockets.connect:
    return websockets.connect(
        f"{visitor.live.socket_url}{path}",
        origin=websockets.Origin(origin or visitor.live.url),
        additional_headers={"Cookie": visitor.cookie_header if cookie is None else cookie},
    )


async def closed_with(socket: websockets.ClientConnection) -> int:
    """1006 when the server just cut it."""
    try:
        async with asyncio.timeout(10):
            while True:
                await socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


async def answer(socket: websockets.ClientConnection, text: str) -> dict[str, Any]:
    await socket.send(text)
    frame: dict[str, Any] = json.loads(await socket.recv())
    return frame


def padded(size: int) -> str:
    text = json.dumps({"type": "ping", "padding": ""})
    return text[:-2] + "x" * (size - len(text)) + text[-2:]


async def test_a_frame_of_the_largest_size_is_read_and_a_larger_one_cut(visitor: Visitor) -> None:
    async with connect(visitor) as healthy, connect(visitor) as socket:
        assert json.loads(await healthy.recv())["type"] == "ready"
        assert json.loads(await socket.recv())["type"] == "ready"
        assert (await answer_after_heartbeats(socket, padded(LIMIT)))["type"] == "pong"
        await socket.send(padded(LIMIT + 1))
        assert await closed_with(socket) in (1006, 1009)
        assert (await answer_after_heartbeats(healthy))["type"] == "pong"


async def test_fragments_are_counted_together(visitor: Visitor) -> None:
    async with connect(visitor) as socket:
        with contextlib.suppress(ConnectionClosed):
            await socket.send("x" * 1024 for _ in range(2 * LIMIT // 1024))
        assert await closed_with(socket) in (1006, 1009)


async def test_bytes_that_are_no_text_end_the_connection(visitor: Visitor) -> None:
    async with connect(visitor) as socket:
        await socket.send(b"\x00\x01")
        assert await closed_with(socket) == 4400
    async with connect(visitor) as socket:
        await socket.send(b"\xff\xfe", text=True)
        assert await closed_with(socket) in (1006, 1007)


async def test_nothing_is_compressed(visitor: Visitor) -> None:
    """Inflating is where a small frame becomes a large one."""
    async with connect(visitor) as socket:
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


@pytest.mark.parametrize("path", ["/ws/", "/ws/nothing/", "/ws/room/1/", "/ws/inbox", "/"])
async def test_other_paths_are_refused(visitor: Visitor, path: str) -> None:
    assert await refused_with(visitor, path) == 403


async def test_strangers_and_foreign_origins_are_refused(visitor: Visitor) -> None:
    async with connect(visitor):
        pass
    assert await refused_with(visitor, INBOX, cookie="") == 403
    assert await refused_with(visitor, INBOX, origin="http://elsewhere.example") == 403


async def refused_with(visitor: Visitor, path: str, **options: str) -> int:
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(visitor, path, **options):
            pass
    return refusal.value.response.status_code


async def test_a_restart_tells_the_sockets_to_come_back(live: Live, visitor: Visitor) -> None:
    async with connect(visitor) as socket:
        assert json.loads(await socket.recv())["type"] == "ready"
        live.processes["web"].terminate()
        assert await closed_with(socket) == 4412
    live.restart("web")
    async with connect(visitor) as socket:
        assert json.loads(await socket.recv())["type"] == "ready"


async def test_signing_out_ends_the_socket_of_that_session(live: Live) -> None:
    leaving = await asyncio.to_thread(Visitor, live, "ana@example.com")
    staying = await asyncio.to_thread(Visitor, live, "ana@example.com")
    async with connect(leaving) as socket, connect(staying) as other:
        assert json.loads(await socket.recv())["type"] == "ready"
        form = urllib.parse.urlencode({"csrfmiddlewaretoken": leaving.token}).encode()
        await asyncio.to_thread(leaving.open, "/accounts/logout/", form)
        assert await closed_with(socket) == 4501
        assert json.loads(await other.recv())["type"] == "ready"
        assert (await answer_after_heartbeats(other))["type"] == "pong"


async def answer_after_heartbeats(
    socket: websockets.ClientConnection, asked: str = '{"type": "ping"}'
) -> dict[str, Any]:
    frame = await answer(socket, asked)
    while frame["type"] == "heartbeat":
        frame = json.loads(await socket.recv())
    return frame


def test_a_form_without_a_boundary_gets_a_page(visitor: Visitor) -> None:
    headers = {"Content-Type": "multipart/form-data", "X-CSRFToken": visitor.token}
    status, body = visitor.open("/accounts/profile/", b"x=1", headers)
    assert status in (400, 403)
    assert b"trato" in body
    status, body = visitor.open(
        "/accounts/profile/", b"x=1", headers | {"Accept": "application/json"}
    )
    assert set(json.loads(body)) == {"code", "detail"}
