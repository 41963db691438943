"""Somebody throws thousands of frames at one socket while the database stands still: the process
does not grow, the others' sockets answer, and what was taken is answered when it is back."""

import asyncio
import contextlib
import json
import socket as sockets
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import websockets

from marketplace.development.children import wait_until
from tests.live import Live
from tests.processes.pressing import (
    Flood,
    Memory,
    answers,
    begin_conversation,
    connect,
    expect,
    gone,
    keep_answering,
    narrow_socket,
    stopped,
)
from tests.services import services
from tests.services.postgresql import PostgresServer
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

FRAMES = 10_000
LARGE_FRAMES = 300
BLOCKED_SECONDS = 1.0  # Without a frame that is taken.
MOST_GROWTH = 32  # MiB.
SERVED_AGAIN_SECONDS = 10


@pytest.fixture
def postgres() -> PostgresServer:
    if services.postgres is None:
        pytest.skip("The database is not ours to stop.")
    return services.postgres


@pytest.fixture(scope="module")
def teo(live: Live) -> Visitor:
    return Visitor(live, "teo@example.com")


@pytest.fixture(scope="module")
def room(teo: Visitor) -> str:
    return f"/ws/room/{begin_conversation(teo, 9)}/"


@pytest.mark.parametrize(
    ("frames", "padding", "away"),
    [(FRAMES, 0, stopped), (LARGE_FRAMES, 60_000, gone)],
    ids=["small, stopped", "large, gone"],
)
async def test_a_flood_while_the_database_is_away(
    live: Live,
    teo: Visitor,
    room: str,
    postgres: PostgresServer,
    frames: int,
    padding: int,
    away: Callable[[PostgresServer], AbstractContextManager[None]],
) -> None:
    """With SEND_LIMITS=off, so that nothing but its own bounds protects the process."""
    thrown = ({"message": "Again", "padding": "x" * padding} for _ in range(frames))
    async with flooded(teo, room) as socket, connect(teo, "/ws/inbox/") as other:
        await expect(socket, "ready")
        await expect(other, "ready")
        flood = Flood(socket)
        async with Memory(live.processes["web"].pid).watched() as memory:
            throwing = asyncio.create_task(flood.throw(thrown))
            with away(postgres):
                answering = asyncio.create_task(keep_answering(other))
                await flood.until_blocked(seconds=BLOCKED_SECONDS)
                assert flood.taken < frames, "the network took everything: nobody was held up"
                assert not answering.done()
                answering.cancel()
            await throwing
    flood.assert_each_is_answered_once()
    assert len(flood.thrown) == frames
    print(f"{flood.taken} grew by {memory.growth:.1f} MiB; {flood.codes}")
    assert memory.growth < MOST_GROWTH
    await asyncio.to_thread(expect_to_be_served, teo, room)
    assert all(process.poll() is None for process in live.processes.values())


def expect_to_be_served(visitor: Visitor, room: str) -> None:
    """By the same processes, now that the database is back."""
    path = f"/conversation/{room.split('/')[3]}/new_message/"
    wait_until(
        lambda: visitor.post(path, message="Still there?")[0] == 201,
        seconds=SERVED_AGAIN_SECONDS,
        what="an answer to who writes again",
    )


def flooded(visitor: Visitor, room: str) -> websockets.connect:
    """Over a line that keeps little: what the process does not take stays with the sender."""
    narrow = narrow_socket(visitor.live.port, sockets.SO_SNDBUF)
    return connect(visitor, room, sock=narrow)


async def test_who_goes_on_flooding_is_told_so(live: Live, teo: Visitor, room: str) -> None:
    """With the limits of every day: what was taken is answered, and then it ends, for this one."""
    with live.another_web(SEND_LIMITS="10/5s,60/m") as port:
        async with (
            connect(teo, room, port=port) as socket,
            connect(teo, "/ws/inbox/", port=port) as other,
        ):
            await expect(socket, "ready")
            async with Memory(live.processes["another web"].pid).watched() as memory:
                pongs = asyncio.create_task(count_pongs(socket))
                with contextlib.suppress(websockets.ConnectionClosed):
                    for _ in range(FRAMES):
                        await socket.send('{"type": "ping"}')
                assert await pongs == 120  # Before the pause and after it.
            assert socket.close_code == 4429
            assert await answers(other)
            assert memory.growth < MOST_GROWTH


async def count_pongs(socket: websockets.ClientConnection) -> int:
    pongs = 0
    with contextlib.suppress(websockets.ConnectionClosed):
        async for text in socket:
            pongs += json.loads(text)["type"] == "pong"
    return pongs
