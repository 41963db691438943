"""Web processes are replaced one after the other while people talk: nobody waits for long."""

import asyncio
import itertools
import json
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import websockets

from marketplace.development.children import stop_children, wait_until
from tests.live import Live
from tests.processes.crowds import make_talks
from tests.processes.pressing import expect, stopped
from tests.services import services
from tests.services.ports import find_free_port
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

LATE_SECONDS = 5.0
BEAT_SECONDS = (
    25  # As it is out there: what is lost in a restart is not made up for by a heartbeat.
)
BETWEEN_SENDS = 0.05
SLUG = """
from marketplace.listings.models import Listing
of_sol = Listing.objects.filter(seller__email="sol@example.com")
print(of_sol.order_by("pk").values_list("slug", flat=True)[8])
"""


@dataclass
class Talker:
    """A tab that comes back elsewhere when it is told to, and sends again what nobody answered."""

    visitor: Visitor
    conversation: str
    ports: Iterator[int]
    revision: int = 0
    unsent: dict[str, str] = field(default_factory=dict)
    first_sent: dict[str, float] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    heard: dict[str, float] = field(default_factory=dict)
    sequences: list[int] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    repeats: int = 0
    is_writing: bool = True

    async def live(self) -> None:
        while True:
            with suppress(OSError, websockets.WebSocketException):
                await self.talk(next(self.ports))
            await asyncio.sleep(0.1)

    async def talk(self, port: int) -> None:
        async with websockets.connect(
            f"ws://127.0.0.1:{port}/ws/room/{self.conversation}/?after={self.revision}",
            origin=websockets.Origin(self.visitor.live.url),
            additional_headers={"Cookie": self.visitor.cookie_header},
        ) as socket:
            writing = asyncio.create_task(self.write(socket))
            try:
                async for text in socket:
                    self.take(json.loads(text))
            finally:
                writing.cancel()
                self.codes += [socket.close_code] if socket.close_code else []

    async def write(self, socket: websockets.ClientConnection) -> None:
        for key, text in list(self.unsent.items()):
            self.repeats += 1
            await socket.send(json.dumps({"message": text, "client_message_id": key}))
        while self.is_writing:
            key = str(uuid.uuid4())
            self.unsent[key] = key  # The text tells the other which message it is.
            self.first_sent[key] = time.monotonic()
            await socket.send(json.dumps({"message": key, "client_message_id": key}))
            await asyncio.sleep(BETWEEN_SENDS)

    def take(self, frame: dict[str, Any]) -> None:
        self.revision = max(self.revision, int(frame.get("revision", 0)))
        if frame["type"] == "ack":
            self.acknowledged.add(frame["client_message_id"])
            self.unsent.pop(frame["client_message_id"], None)
        elif frame["type"] == "chat_message" and "client_message_id" not in frame:
            self.heard.setdefault(frame["message"], time.monotonic())
            self.sequences.append(frame["sequence"])


@contextmanager
def talking(*talkers: Talker) -> Iterator[None]:
    """In a thread: this one must start processes, which takes its time."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    tasks = [asyncio.run_coroutine_threadsafe(talker.live(), loop) for talker in talkers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.5), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@dataclass
class Webs:
    """Two web processes, each on a port that stays the same."""

    live: Live
    ports: list[int]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, index: int) -> None:
        process = self.live.launch_web(self.ports[index], HEARTBEAT_SECONDS=str(BEAT_SECONDS))
        self.processes[index:] = [process, *self.processes[index + 1 :]]

    def replace(self, index: int) -> None:
        stop_children([self.processes[index]], seconds=15)
        assert self.processes[index].returncode == 0
        self.start(index)


@pytest.fixture
def webs(live: Live) -> Iterator[Webs]:
    found = Webs(live, [find_free_port(), find_free_port()])
    found.start(0)
    found.start(1)
    yield found
    stop_children(found.processes, seconds=10)


def test_nobody_waits_for_long_while_processes_are_replaced(live: Live, webs: Webs) -> None:
    slug = live.manage("shell", "--no-imports", "-c", SLUG).strip()
    teo, sol = Visitor(live, "teo@example.com"), Visitor(live, "sol@example.com")
    _, stored = teo.post(f"/listings/{slug}/conversation/", message="Is it still there?")
    talkers = [
        Talker(visitor, stored["conversation"], itertools.cycle(ports))
        for visitor, ports in ((teo, webs.ports), (sol, webs.ports[::-1]))
    ]
    with talking(*talkers):
        wait_until_talked(talkers, 20)
        for index in (0, 1):
            webs.replace(index)
            wait_until_talked(talkers, 20)
        for talker in talkers:
            talker.is_writing = False
        wait_until(lambda: not any(t.unsent for t in talkers), seconds=10, what="the last ack")
        wait_until(lambda: have_heard_all(*talkers), seconds=10, what="what the other said")
    for talker, other in zip(talkers, reversed(talkers), strict=True):
        assert 4412 in talker.codes, "nobody was told to come back: no restart"
        assert talker.acknowledged == talker.first_sent.keys()
        assert talker.sequences == sorted(set(talker.sequences))
        waits = [talker.heard[key] - at for key, at in other.first_sent.items()]
        assert max(waits) < LATE_SECONDS, sorted(waits)[-5:]


DRAIN_SECONDS = 1.0
NOTICING_SECONDS = 0.5  # For the signal to arrive, and for its end to be seen.


async def test_a_process_ends_in_time_whatever_is_under_way(live: Live) -> None:
    """Sockets are open, and what one of them wrote is with a database that does not answer."""
    assert services.postgres is not None
    with live.another_web(DRAIN_SECONDS=str(DRAIN_SECONDS)) as port:
        [talk] = await asyncio.to_thread(make_talks, live, port, 1)
        process = live.processes["another web"]
        async with talk.enter(talk.buyer) as writer, talk.enter(talk.seller) as reader:
            await expect(writer, "ready")
            await expect(reader, "ready")
            with stopped(services.postgres):
                await writer.send(json.dumps({"message": "Wait for me"}))
                await writer.send('{"type": "ping"}')
                await asyncio.sleep(0.5)
                process.terminate()
                began = time.monotonic()
                await asyncio.to_thread(process.wait, DRAIN_SECONDS + NOTICING_SECONDS)
                print(f"ended after {time.monotonic() - began:.1f} s")
            for socket in (writer, reader):
                await socket.wait_closed()
                assert socket.close_code == 4412
        assert process.returncode == 0


def have_heard_all(one: Talker, other: Talker) -> bool:
    heard = one.acknowledged <= other.heard.keys()
    return heard and other.acknowledged <= one.heard.keys()


def wait_until_talked(talkers: list[Talker], count: int) -> None:
    """Each has had so many more messages acknowledged."""
    wanted = [len(talker.acknowledged) + count for talker in talkers]
    wait_until(
        lambda: all(len(t.acknowledged) >= n for t, n in zip(talkers, wanted, strict=True)),
        seconds=20,
        what="people to talk",
    )
