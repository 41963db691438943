"""Clients by the dozen that read nothing, read slowly, or come and go; and what they cost a
process. For tests of a minute and for `bin/faults pressure`."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import psycopg
import websockets
from websockets.exceptions import ConnectionClosed

from messaging.close_codes import CloseCode
from tests.live import Live
from tests.processes.pressing import Guest, Memory, connect, expect, narrow_socket

LONG = "🚲" * 4_000  # 16 KB of it go over the line.
MESSAGES = 100  # More than a mebibyte, and what the kernels keep besides.
STORED = 200  # As many rows as a page of a replay is made of, whatever it then holds of them.
WARMING = 8  # In each: more at once than there are threads that read pages.
ON_THEIR_WAY = 20
TALKS = 2  # As many at every size: what these cost besides is not what their sockets cost.
CLOSE_SECONDS = 20.0  # Ten without taking anything, and what a busy machine needs besides.
VISITS_AT_ONCE = 16
SIDES = ("buyer", "seller")
MAKE = """
import json
from tests.faults.dying import scenes
print(json.dumps([scenes.make(name) for name in {names!r}]))
"""
GO_ON = """
UPDATE messaging_conversation
SET last_sequence = last_sequence + %(count)s, revision = revision + %(count)s WHERE id = %(id)s
"""
ADD = """
INSERT INTO messaging_message (conversation_id, sequence, created_revision, revision, sender_id,
    kind, body, created_at)
SELECT c.id, c.last_sequence - number, c.revision - number, c.revision - number, p.id, 'text',
    %(body)s, now()
FROM messaging_conversation c JOIN messaging_participant p ON p.conversation_id = c.id,
    generate_series(0, %(count)s - 1) number
WHERE c.id = %(id)s AND p.role = 'seller'
"""
COUNT = """
UPDATE messaging_participant SET unread_count = unread_count + %(count)s
WHERE conversation_id = %(id)s AND role = 'buyer'
"""


@dataclass(frozen=True)
class Talk:
    """Two people and their conversation, which begins with one message of the buyer's."""

    live: Live
    port: int
    id: str
    buyer: Guest
    seller: Guest

    @property
    def room(self) -> str:
        return f"/ws/room/{self.id}/"

    def add(self, count: int, body: str) -> None:
        """So many of the seller's, straight into the database. Nobody is told."""
        values = {"id": self.id, "count": count, "body": body}
        with psycopg.connect(self.live.environment["DATABASE_URL"]) as database:
            for statement in (GO_ON, ADD, COUNT):
                database.execute(statement, values)

    def enter(self, guest: Guest, **options: Any) -> websockets.connect:
        return connect(guest, self.room, port=self.port, **options)

    def replay(self, **options: Any) -> websockets.connect:
        return connect(self.buyer, f"{self.room}?after=0", port=self.port, **options)


def make_talks(live: Live, port: int, count: int) -> list[Talk]:
    names = [f"crowd-{uuid.uuid4().hex[:8]}" for _ in range(count)]
    made = json.loads(live.manage("shell", "--no-imports", "-c", MAKE.format(names=names)))
    return [
        Talk(live, port, scene["conversation"], *(guest_of(live, scene[who]) for who in SIDES))
        for scene in made
    ]


def guest_of(live: Live, person: dict[str, Any]) -> Guest:
    return Guest(live, person["session"])


# --- Who never reads ------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def stalled_sockets(talk: Talk, each: int) -> AsyncIterator[None]:
    """So many of either side. They ask for everything, read nothing, and are not told goodbye."""
    sockets = []
    try:
        for guest in (talk.buyer, talk.seller):
            for _ in range(each):
                path, narrow = f"{talk.room}?after=0", narrow_socket(talk.port)
                sockets.append(await connect(guest, path, port=talk.port, sock=narrow))
                sockets[-1].transport.pause_reading()
        yield
    finally:
        for socket in sockets:
            socket.transport.abort()
        await asyncio.gather(*(socket.wait_closed() for socket in sockets))


def count_too_slow(talk: Talk) -> int:
    """Its sockets that were closed with 4408: in the log, since who does not read cannot tell."""
    log = (talk.live.directory / f"web-{talk.port}.log").read_text()
    closed = [json.loads(line) for line in log.splitlines() if '"socket closed"' in line]
    return sum(line["path"] == talk.room and line["code"] == CloseCode.TOO_SLOW for line in closed)


async def until(condition: Callable[[], bool], *, seconds: float = CLOSE_SECONDS) -> bool:
    """Whether it came to be in time."""
    began = time.monotonic()
    while not condition() and time.monotonic() - began < seconds:
        await asyncio.sleep(0.1)
    return condition()


async def converse(talk: Talk) -> None:
    """The seller writes a mebibyte and more; the buyer reads, and gets each exactly once."""
    async with talk.enter(talk.seller) as writer, talk.enter(talk.buyer) as reader:
        first = (await expect(reader, "ready"))["last_sequence"] + 1
        reading = asyncio.create_task(read_sequences(reader))
        await write(writer)
        async with asyncio.timeout(60):
            assert await reading == list(range(first, first + MESSAGES))


async def write(writer: websockets.ClientConnection) -> None:
    waiting = 0
    for _ in range(MESSAGES):
        frame = {"message": LONG, "client_message_id": str(uuid.uuid4())}
        await writer.send(json.dumps(frame, ensure_ascii=False))
        waiting += 1
        while waiting >= ON_THEIR_WAY:
            waiting -= json.loads(await writer.recv())["type"] == "ack"
    while waiting:
        waiting -= json.loads(await writer.recv())["type"] == "ack"


async def read_sequences(reader: websockets.ClientConnection) -> list[int]:
    sequences: list[int] = []
    while len(sequences) < MESSAGES:
        frame = json.loads(await reader.recv())
        sequences += [frame["sequence"]] if frame["type"] == "chat_message" else []
    return sequences


async def press(talks: list[Talk], each: int) -> None:
    """So many sockets of each person stall while they talk, until every one is closed."""
    wanted = {talk: count_too_slow(talk) + each * len(SIDES) for talk in talks}
    async with contextlib.AsyncExitStack() as stack:
        for talk in talks:
            await stack.enter_async_context(stalled_sockets(talk, each))
        await asyncio.gather(*map(converse, talks))
        assert await until(lambda: {talk: count_too_slow(talk) for talk in talks} == wanted)


async def measure_stalled(live: Live, port: int, sizes: tuple[int, ...]) -> list[float]:
    """MiB at the peak for each number of clients. Whatever else goes on the process has done
    before, and with as much to read."""
    talks = await asyncio.to_thread(make_talks, live, port, TALKS)
    for talk in talks:
        await asyncio.to_thread(talk.add, STORED, LONG)
    await asyncio.gather(*map(converse, talks))
    await asyncio.gather(*(replay(talk) for talk in talks for _ in range(WARMING)))
    growths = []
    async with Memory(live.processes["another web"].pid).watched() as memory:
        for clients in sizes:
            await press(talks, clients // (TALKS * len(SIDES)))
            growths.append(memory.growth)
    return growths


# --- Who reads everything -------------------------------------------------------------------------


@dataclass(frozen=True)
class Replayed:
    sequences: list[int]
    received: int  # Bytes.
    seconds: float


async def replay(talk: Talk, *, bytes_per_second: float = 0) -> Replayed:
    """Everything there is, in one go or at this pace; the socket still answers afterwards."""
    sequences: list[int] = []
    began, received = time.monotonic(), 0
    line: dict[str, Any] = {}
    if bytes_per_second:
        line = {"sock": narrow_socket(talk.port, size=32 * 1024), "max_queue": 1}
    async with talk.replay(**line) as socket:
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "ready":
                break
            sequences += [frame["sequence"]] if frame["type"] == "chat_message" else []
            received += len(str(text).encode())
            if bytes_per_second:
                ahead = received / bytes_per_second - (time.monotonic() - began)
                await asyncio.sleep(max(ahead, 0))
        seconds = time.monotonic() - began
        await socket.send('{"type": "ping"}')
        await expect(socket, "pong")
    return Replayed(sequences, received, seconds)


# --- Who comes and goes ---------------------------------------------------------------------------


async def come_and_go(talks: list[Talk], visits: int) -> None:
    """One after the other, some at a time: rooms and inboxes, politely and not."""
    numbers = iter(range(visits))
    doors = cycle((talk, guest) for talk in talks for guest in (talk.buyer, talk.seller))

    async def visit_on() -> None:
        for number in numbers:
            await visit(*next(doors), number=number)

    await asyncio.gather(*(visit_on() for _ in range(VISITS_AT_ONCE)))


async def visit(talk: Talk, guest: Guest, *, number: int) -> None:
    path = talk.room if number % 2 else "/ws/inbox/"
    with contextlib.suppress(ConnectionClosed):
        async with connect(guest, path, port=talk.port) as socket:
            await expect(socket, "ready")
            if number % 3 == 0:
                socket.transport.abort()


async def until_quiet(memory: Memory) -> int:
    """Descriptors once their number changes no more."""
    counted = -1
    while counted != (counted := memory.descriptors()):
        await asyncio.sleep(1)
    return counted
