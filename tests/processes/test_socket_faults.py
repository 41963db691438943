"""Sockets while processes are killed: what was acknowledged is stored once, and whoever comes back
with `after` has every change exactly once and in order."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import websockets

from tests.live import Live
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

BACK_SECONDS = 0.2
MESSAGES_BETWEEN_KILLS = 40
LAST_SLUG = """
from marketplace.listings.models import Listing
of_sol = Listing.objects.filter(seller__email="sol@example.com")
print(of_sol.order_by("-pk").values_list("slug", flat=True)[0])
"""


@dataclass
class Person:
    """A client that reconnects from the revision it has seen, like the page's."""

    visitor: Visitor
    conversation: str
    revision: int = 0
    received: list[dict[str, Any]] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)
    unsent: dict[str, str] = field(default_factory=dict)
    connections: int = 0
    troubles: list[str] = field(default_factory=list)

    async def live(self) -> None:
        while True:
            try:
                async for socket in self.connect():
                    await self.converse(socket)
            except (OSError, websockets.WebSocketException) as error:
                self.troubles.append(repr(error))
            await asyncio.sleep(BACK_SECONDS)

    async def connect(self) -> AsyncIterator[websockets.ClientConnection]:
        url = f"{self.visitor.live.socket_url}/ws/room/{self.conversation}/?after={self.revision}"
        headers = {"Cookie": self.visitor.cookie_header}
        async with websockets.connect(
            url, origin=websockets.Origin(self.visitor.live.url), additional_headers=headers
        ) as socket:
            self.connections += 1
            yield socket

    async def converse(self, socket: websockets.ClientConnection) -> None:
        sending = asyncio.create_task(self.send_all(socket))
        try:
            async for text in socket:
                self.take(json.loads(text))
        finally:
            sending.cancel()

    async def send_all(self, socket: websockets.ClientConnection) -> None:
        """What is unsent again, and then one message after the other."""
        for client_message_id, text in list(self.unsent.items()):
            await self.send(socket, client_message_id, text)
        while True:
            client_message_id = str(uuid.uuid4())
            self.unsent[client_message_id] = f"{client_message_id} says {len(self.acknowledged)}"
            await self.send(socket, client_message_id, self.unsent[client_message_id])
            await asyncio.sleep(0.02)

    async def send(self, socket: Any, client_message_id: str, text: str) -> None:
        frame = {"message": text, "client_message_id": client_message_id}
        await socket.send(json.dumps(frame))

    def take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "ack":
            self.acknowledged[frame["client_message_id"]] = frame["sequence"]
            self.unsent.pop(frame["client_message_id"], None)
        elif frame["type"] == "chat_message":
            self.received.append(frame)
            self.revision = max(self.revision, frame["revision"])
        elif frame["type"] in ("ready", "heartbeat"):
            self.revision = max(self.revision, frame["revision"])
        elif frame["type"] == "error":
            assert frame["code"] == "unavailable", frame
            self.unsent.setdefault(frame["client_message_id"], "again")


@pytest.fixture
def people(live: Live) -> list[Person]:
    """Teo, who asks about the last of Sol's listings, and Sol, who answers."""
    slug = live.manage("shell", "--no-imports", "-c", LAST_SLUG).strip()
    teo, sol = Visitor(live, "teo@example.com"), Visitor(live, "sol@example.com")
    status, answer = teo.post(f"/listings/{slug}/conversation/", message="Is it still there?")
    assert status == 201
    return [Person(teo, answer["conversation"]), Person(sol, answer["conversation"])]


async def test_sockets_survive_kills(live: Live, people: list[Person]) -> None:
    talking = [asyncio.create_task(person.live()) for person in people]
    try:
        for name in ("web", "redis", "web"):
            await until_talking(people, talking)
            kill_and_start(live, name)  # Here: what a thread starts dies with the thread.
        await until_talking(people, talking)
    finally:
        await stop(talking)
    assert all(person.connections >= 3 for person in people), "nobody noticed the kills"
    stored = await asyncio.to_thread(read_all, people[0])
    assert [message["sequence"] for message in stored] == list(range(1, len(stored) + 1))
    by_sequence = {message["sequence"]: message["message"] for message in stored}
    for person, other in (people, reversed(people)):
        assert len(person.acknowledged) >= 4 * MESSAGES_BETWEEN_KILLS
        for client_message_id, sequence in person.acknowledged.items():
            assert by_sequence[sequence].startswith(client_message_id)
        assert len(set(person.acknowledged.values())) == len(person.acknowledged)
        assert_received_once(person, other)


async def until_talking(people: list[Person], talking: list[asyncio.Task[None]]) -> None:
    """Both have had so many more messages acknowledged, whatever the machine's pace."""
    wanted = [len(person.acknowledged) + MESSAGES_BETWEEN_KILLS for person in people]
    deadline = time.monotonic() + 60
    while any(len(p.acknowledged) < count for p, count in zip(people, wanted, strict=True)):
        for ended in (task for task in talking if task.done()):
            ended.result()
        states = [(p.connections, len(p.acknowledged), p.troubles[-3:]) for p in people]
        assert time.monotonic() < deadline, states
        await asyncio.sleep(BACK_SECONDS)


def kill_and_start(live: Live, name: str) -> None:
    if name == "redis":
        live.redis.kill()
        live.redis.start()
    else:
        live.kill(name)
        live.start(name)


async def stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def read_all(person: Person) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        path = f"/conversation/{person.conversation}/messages/?after={after}"
        _, page = person.visitor.get(path)
        messages += page["results"]
        after = page["next"]
    return messages


def assert_received_once(person: Person, other: Person) -> None:
    """Everything of the other side up to where this client had come, in order and once."""
    # Only the sender of a message is told the id that their client gave it.
    theirs = [frame for frame in person.received if "client_message_id" not in frame]
    sequences = [frame["sequence"] for frame in theirs]
    assert sequences == sorted(set(sequences))
    wanted = {sequence for sequence in other.acknowledged.values() if sequence <= person.revision}
    assert wanted <= set(sequences), sorted(wanted - set(sequences))[:5]
