"""A client that does not read is cut; whoever reads notices nothing."""

import asyncio
import contextlib
import json
import socket
import uuid

import pytest
import websockets
from websockets.exceptions import ConnectionClosed

from tests.live import Live
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

MESSAGES = 700  # Of 16 KB each: more than the kernel's buffers between the two take.
LONG = "🚲" * 4_000
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
    async with connect(teo, room) as writer, connect(sol, room) as reader:
        stalled = await connect(sol, room, narrow_socket(live))
        reading = asyncio.create_task(read_sequences(reader))
        await write(writer)
        async with asyncio.timeout(60):
            assert await reading == list(range(2, MESSAGES + 2))
        assert await is_cut(stalled)
        stalled.transport.abort()


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
