"""Clients that do not read are cut before they cost much; whoever reads notices nothing, and one
whose line is slow gets everything in its own time."""

import asyncio
import contextlib
import json
import socket
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets
from websockets.exceptions import ConnectionClosed

from tests.live import Live
from tests.processes.pressing import Memory
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

MESSAGES = 700  # Of 16 KB each: more than the kernel's buffers between the two take.
LONG = "🚲" * 4_000
STALLED = 20
# A mebibyte for each, and what the process needs to write and to read pages for others meanwhile:
# batches, and a page for each of the threads that ask the database.
MOST_GROWTH = STALLED + 20
SLOW_BYTES_PER_SECOND = 3_000_000
SLUG = """
from marketplace.listings.models import Listing
of_sol = Listing.objects.filter(seller__email="sol@example.com")
print(of_sol.order_by("pk").values_list("slug", flat=True)[7])
"""


def connect(visitor: Visitor, path: str, sock: socket.socket | None = None) -> websockets.connect:
    return websockets.connect(
        f"{visitor.live.socket_url}{path}",
        origin=websockets.Origin(visitor.live.url),
        additional_headers={"Cookie": visitor.cookie_header},
        sock=sock,
        max_queue=1,
        ping_interval=None,
    )


def narrow_socket(live: Live) -> socket.socket:
    """One that the kernel keeps little for."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", live.port))
    narrow.setblocking(False)
    return narrow


async def test_who_does_not_read_is_cut_and_others_get_everything(live: Live) -> None:
    slug = live.manage("shell", "--no-imports", "-c", SLUG).strip()
    teo, sol = Visitor(live, "teo@example.com"), Visitor(live, "sol@example.com")
    _, stored = teo.post(f"/listings/{slug}/conversation/", message="Is it still there?")
    room = f"/ws/room/{stored['conversation']}/"
    async with (
        connect(teo, room) as writer,
        connect(sol, room) as reader,
        stalled_sockets([teo, sol], f"{room}?after=0") as stalled,
        Memory(live.processes["web"].pid).watched() as memory,
    ):
        reading = asyncio.create_task(read_sequences(reader))
        await write(writer)
        async with asyncio.timeout(60):
            assert await reading == list(range(2, MESSAGES + 2))
        assert all(await asyncio.gather(*map(is_cut, stalled)))
        assert await replay_slowly(sol, room) == list(range(1, MESSAGES + 2))
        print(f"grew by {memory.growth:.1f} MiB")
        assert memory.growth < MOST_GROWTH


@contextlib.asynccontextmanager
async def stalled_sockets(visitors: list[Visitor], path: str) -> AsyncIterator[list[Any]]:
    """As many of each. They never read, and are not told goodbye."""
    each = STALLED // len(visitors)
    sockets = [
        await connect(visitor, path, narrow_socket(visitor.live))
        for visitor in visitors
        for _ in range(each)
    ]
    try:
        yield sockets
    finally:
        for stalled in sockets:
            stalled.transport.abort()


async def replay_slowly(visitor: Visitor, room: str) -> list[int]:
    """Everything, over a line that takes seconds for it: more than all buffers hold."""
    sequences: list[int] = []
    began, received = time.monotonic(), 0
    async with connect(visitor, f"{room}?after=0", narrow_socket(visitor.live)) as slow:
        async for text in slow:
            frame = json.loads(text)
            if frame["type"] == "ready":
                break
            sequences += [frame["sequence"]] if frame["type"] == "chat_message" else []
            received += len(str(text).encode())
            ahead = received / SLOW_BYTES_PER_SECOND - (time.monotonic() - began)
            await asyncio.sleep(max(ahead, 0))
    return sequences


async def write(writer: websockets.ClientConnection) -> None:
    """Twenty on their way at a time."""
    waiting = 0
    for _ in range(MESSAGES):
        frame = {"message": LONG, "client_message_id": str(uuid.uuid4())}
        await writer.send(json.dumps(frame, ensure_ascii=False))
        waiting += 1
        while waiting >= 20:
            waiting -= json.loads(await writer.recv())["type"] == "ack"
    while waiting:
        waiting -= json.loads(await writer.recv())["type"] == "ack"


async def read_sequences(reader: websockets.ClientConnection) -> list[int]:
    sequences: list[int] = []
    while len(sequences) < MESSAGES:
        frame = json.loads(await reader.recv())
        if frame["type"] == "chat_message":
            sequences.append(frame["sequence"])
    return sequences


async def is_cut(stalled: websockets.ClientConnection) -> bool:
    """It begins to read only now: what is left in the buffers, and then the end."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(30):
            received = 0
            while received < MESSAGES:
                received += json.loads(await stalled.recv())["type"] == "chat_message"
            return False
    return True
