"""Redis stops, forgets everything, throws its clients out: sends go on, sockets hear again.

Two web processes: Teo writes at one, Sol listens at the other, so that all that Sol hears has come
over the layer or from the database.
"""

import asyncio
import json
import os
import signal
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import redis
import websockets

from tests.live import TIMES, Live
from tests.live_sockets import expect
from tests.processes.test_two_web_processes import second_port
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

__all__ = ["second_port"]

STOPPED_SECONDS = 20.0
BETWEEN_SENDS = 0.1
ACKNOWLEDGED_SECONDS = 0.5  # At most, for 99 of 100, while Redis is stopped.
BEAT_SECONDS = float(TIMES["HEARTBEAT_SECONDS"])
CONVERGED_SECONDS = 8.0  # A whole burst; the layer is subscribed to anew within 1 s or so.
SLUG = """
from marketplace.listings.models import Listing
of_sol = Listing.objects.filter(seller__email="sol@example.com")
print(of_sol.order_by("pk").values_list("slug", flat=True)[6])
"""


@dataclass
class Room:
    """Teo and Sol in one conversation, each at a web process of their own."""

    live: Live
    second_port: int
    teo: Visitor
    sol: Visitor
    conversation: str
    waits: list[float] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/ws/room/{self.conversation}/"

    @asynccontextmanager
    async def enter(
        self, visitor: Visitor, port: int, path: str = ""
    ) -> AsyncIterator[websockets.ClientConnection]:
        async with websockets.connect(
            f"ws://127.0.0.1:{port}{path or self.path}",
            origin=websockets.Origin(self.live.url),
            additional_headers={"Cookie": visitor.cookie_header},
        ) as socket:
            await expect(socket, "ready")
            yield socket

    async def send(self, socket: websockets.ClientConnection) -> int:
        """Sequence of one more message, once it is acknowledged."""
        key = str(uuid.uuid4())
        began = time.monotonic()
        await socket.send(json.dumps({"message": "Still here?", "client_message_id": key}))
        ack = await expect(socket, "ack", client_message_id=key)
        self.waits.append(time.monotonic() - began)
        return int(ack["sequence"])

    async def post(self) -> int:
        began = time.monotonic()
        path = f"/conversation/{self.conversation}/new_message/"
        status, answer = await asyncio.to_thread(
            self.teo.post, path, message="Over a page", client_message_id=str(uuid.uuid4())
        )
        assert status == 201, answer
        self.waits.append(time.monotonic() - began)
        return int(answer["sequence"])


@pytest.fixture
async def room(live: Live, second_port: int) -> Room:
    slug = (await asyncio.to_thread(live.manage, "shell", "--no-imports", "-c", SLUG)).strip()
    teo = await asyncio.to_thread(Visitor, live, "teo@example.com")
    sol = await asyncio.to_thread(Visitor, live, "sol@example.com")
    path = f"/listings/{slug}/conversation/"
    _, stored = await asyncio.to_thread(teo.post, path, message="Is it still there?")
    return Room(live, second_port, teo, sol, stored["conversation"])


async def hear_until(
    socket: websockets.ClientConnection, last: int, *, seconds: float = CONVERGED_SECONDS
) -> list[int]:
    """Sequences in the order in which they come, `last` included."""
    heard: list[int] = []
    async with asyncio.timeout(seconds):
        while last not in heard:
            heard.append((await expect(socket, "chat_message"))["sequence"])
    return heard


def percentile_99(waits: list[float]) -> float:
    return sorted(waits)[int(len(waits) * 0.99)]


async def test_redis_is_stopped(room: Room) -> None:
    """Sends are acknowledged, new sockets accepted; when it goes on, everybody has everything."""
    assert room.live.redis.process is not None
    number = room.live.redis.process.pid
    async with (
        room.enter(room.teo, room.live.port) as teo,
        room.enter(room.sol, room.second_port) as sol,
        room.enter(room.sol, room.second_port, "/ws/inbox/") as inbox,
    ):
        first = await room.send(teo)
        assert await hear_until(sol, first) == [first]
        await expect(inbox, "chat_message", sequence=first)
        before = (await expect(inbox, "heartbeat"))["cursor"]
        room.waits.clear()
        os.kill(number, signal.SIGSTOP)
        try:
            sent = await write_for(room, teo, STOPPED_SECONDS)
        finally:
            os.kill(number, signal.SIGCONT)
        assert len(room.waits) > STOPPED_SECONDS / BETWEEN_SENDS / 3
        median, late = statistics.median(room.waits), percentile_99(room.waits)
        print(f"acknowledged after {1000 * median:.1f} ms, 99 of 100 within {1000 * late:.1f}")
        assert late < ACKNOWLEDGED_SECONDS, sorted(room.waits)[-5:]
        assert sent == list(range(first + 1, first + 1 + len(sent)))
        assert await hear_until(sol, sent[-1]) == sent
        async with asyncio.timeout(CONVERGED_SECONDS):
            while (await expect(inbox, "heartbeat"))["cursor"] == before:
                pass  # One that differs tells an inbox to fetch its first page.


async def write_for(room: Room, teo: websockets.ClientConnection, seconds: float) -> list[int]:
    """Over socket and page; in the middle Sol opens one socket more, which hears of it all."""
    sent: list[int] = []
    ends = time.monotonic() + seconds
    opened = False
    while time.monotonic() < ends:
        sent.append(await (room.post() if len(sent) % 10 == 9 else room.send(teo)))
        await asyncio.sleep(BETWEEN_SENDS)
        if not opened and time.monotonic() > ends - seconds / 2:
            opened = True
            async with room.enter(room.sol, room.live.port) as late:
                sent.append(await room.send(teo))
                assert await hear_until(late, sent[-1]) == [sent[-1]]
    assert opened
    return sent


def kill_subscribers(live: Live) -> None:
    with redis.Redis.from_url(live.redis.url) as client:
        assert client.client_kill_filter(_type="pubsub") >= 2


def kill_clients(live: Live) -> None:
    with redis.Redis.from_url(live.redis.url) as client:
        assert client.client_kill_filter(_type="normal", skipme=True) >= 1


def forget_everything(live: Live) -> None:
    with redis.Redis.from_url(live.redis.url) as client:
        client.flushall()


def kill_and_start(live: Live) -> None:
    live.redis.kill()
    live.redis.start()


@pytest.mark.parametrize(
    "fault", [kill_subscribers, kill_clients, forget_everything, kill_and_start]
)
async def test_what_the_layer_loses_comes_within_a_heartbeat(
    room: Room, fault: Callable[[Live], None]
) -> None:
    """In the middle of a burst. No socket ends, nothing is heard twice or out of order."""
    async with (
        room.enter(room.teo, room.live.port) as teo,
        room.enter(room.sol, room.second_port) as sol,
    ):
        sent = [await room.send(teo) for _ in range(30)]
        fault(room.live)  # Here: what a thread starts dies with the thread.
        sent += [await room.send(teo) for _ in range(30)]
        assert await hear_until(sol, sent[-1]) == sent
        fault(room.live)
        last = await room.send(teo)  # Nothing comes after it that would show that it is missing.
        assert await hear_until(sol, last, seconds=BEAT_SECONDS + 2) == [last]
