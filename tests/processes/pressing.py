"""Putting a web process under pressure, its database stopped, and measuring it meanwhile."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websockets
from websockets.exceptions import ConnectionClosed

from tests.live import DATABASE, Live
from tests.services.postgresql import PostgresServer
from tests.visitor import Visitor

MEBIBYTE = 1024 * 1024
# What people are promised of each other while something goes wrong: nothing is later than this.
LATE_SECONDS = 5.0
# Small packets, of which a kernel keeps kilobytes for a socket; by itself it keeps megabytes.
PACKET_BYTES = 1400
SLUGS = """
from marketplace.listings.models import Listing
of_sol = Listing.objects.filter(seller__email="sol@example.com")
print(*of_sol.order_by("pk").values_list("slug", flat=True))
"""


@dataclass(frozen=True)
class Guest:
    """Somebody whose session was made in the database: nobody had to sign in."""

    live: Live
    session: str

    @property
    def cookie_header(self) -> str:
        return f"sessionid={self.session}"


def begin_conversation(buyer: Visitor, number: int) -> str:
    """With Sol, about one of his listings."""
    slug = buyer.live.manage("shell", "--no-imports", "-c", SLUGS).split()[number]
    _, answer = buyer.post(f"/listings/{slug}/conversation/", message="Is it still there?")
    return str(answer["conversation"])


@contextmanager
def stopped(postgres: PostgresServer) -> Iterator[None]:
    """Every process of it, as on a machine that has frozen."""
    assert postgres.process is not None
    numbers = [postgres.process.pid]
    os.kill(numbers[0], signal.SIGSTOP)  # First: from here on it starts no others.
    numbers += children_of(numbers[0])
    for number in numbers[1:]:
        os.kill(number, signal.SIGSTOP)
    try:
        yield
    finally:
        for number in numbers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGCONT)


@contextmanager
def gone(postgres: PostgresServer) -> Iterator[None]:
    """For the marketplace it is as if the database had been killed; other tests keep theirs."""
    postgres.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false")
    postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}'"
    )
    try:
        yield
    finally:
        postgres.execute(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true")


def children_of(parent: int) -> list[int]:
    return [
        int(folder.name) for folder in Path("/proc").glob("[0-9]*") if read_parent(folder) == parent
    ]


def read_parent(folder: Path) -> int:
    try:
        return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # It has ended meanwhile.
        return 0


@dataclass
class Memory:
    """The resident memory of a process, in bytes, and how far it has grown since."""

    number: int
    before: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        self.before = self.most = self.read()

    def read(self) -> int:
        pages = int(Path(f"/proc/{self.number}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def growth(self) -> float:
        """MiB at most so far."""
        self.most = max(self.most, self.read())
        return (self.most - self.before) / MEBIBYTE

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.number}/fd").iterdir()))

    @asynccontextmanager
    async def watched(self) -> AsyncIterator["Memory"]:
        """Looked at all the time, so that no peak is missed."""
        watching = asyncio.create_task(self._watch())
        try:
            yield self
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            _ = self.growth
            await asyncio.sleep(0.02)


def narrow_socket(port: int, option: int = socket.SO_RCVBUF, size: int = 4096) -> socket.socket:
    """One for which neither side's kernel keeps much: of what goes `SO_SNDBUF` or comes."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, option, size)
    narrow.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, PACKET_BYTES)
    narrow.connect(("127.0.0.1", port))
    narrow.setblocking(False)
    return narrow


def connect(
    visitor: Visitor | Guest, path: str, *, port: int | None = None, **options: Any
) -> websockets.connect:
    """`port`: of another web server than the first."""
    return websockets.connect(
        f"ws://localhost:{port or visitor.live.port}{path}",
        origin=websockets.Origin(visitor.live.url),
        additional_headers={"Cookie": visitor.cookie_header},
        ping_interval=None,
        **options,
    )


@dataclass
class Flood:
    """Frames thrown at one socket as fast as it takes them, and what became of each."""

    socket: websockets.ClientConnection
    thrown: set[str] = field(default_factory=set)
    taken: int = 0  # By the kernel and this side's own buffer: the sender went on.
    answers: Counter[str] = field(default_factory=Counter)  # By client_message_id.
    codes: Counter[str] = field(default_factory=Counter)
    close_code: int = 0

    async def throw(self, frames: Iterable[dict[str, Any]]) -> None:
        """Returns when each is answered, or at the end."""
        reading = asyncio.create_task(self.read())
        with contextlib.suppress(ConnectionClosed):
            for frame in frames:
                identifier = str(uuid.uuid4())
                self.thrown.add(identifier)
                await self.socket.send(json.dumps({"client_message_id": identifier, **frame}))
                self.taken += 1
        while not self.close_code and len(self.answers) < len(self.thrown):
            await asyncio.sleep(0.02)
        reading.cancel()

    async def read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                frame = json.loads(text)
                if frame["type"] in ("ack", "error"):
                    self.answers[frame["client_message_id"]] += 1
                    self.codes[frame.get("code", frame["type"])] += 1
        self.close_code = self.socket.close_code or 1006

    async def until_blocked(self, *, seconds: float) -> None:
        """Until nothing more has been taken of it for so long."""
        before, since = -1, time.monotonic()
        while time.monotonic() - since < seconds:
            if before != self.taken:
                before, since = self.taken, time.monotonic()
            await asyncio.sleep(0.05)

    def assert_each_is_answered_once(self) -> None:
        assert set(self.answers) == self.thrown
        assert set(self.answers.values()) == {1}
        assert self.codes.keys() <= {"ack", "unavailable"}, self.codes


async def expect(socket: websockets.ClientConnection, type: str) -> dict[str, Any]:
    """The next frame of a type."""
    async with asyncio.timeout(20):
        while (frame := json.loads(await socket.recv()))["type"] != type:
            pass
    return dict(frame)


async def answers(socket: websockets.ClientConnection) -> bool:
    """Whether a ping is answered in time, whatever else goes on."""
    await socket.send('{"type": "ping"}')
    async with asyncio.timeout(LATE_SECONDS):
        while json.loads(await socket.recv())["type"] != "pong":
            pass
    return True


async def keep_answering(socket: websockets.ClientConnection) -> None:
    """Until it is cancelled."""
    while await answers(socket):
        await asyncio.sleep(0.1)
