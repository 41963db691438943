"""A client that takes nothing is closed with 4408, by either of two guards: too much waits for it,
or it has taken nothing for ten seconds. One that takes a little, and often, is not."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from messaging import transport
from messaging.attendance import CONNECTIONS_PER_PERSON
from messaging.models import Conversation
from messaging.runtime import in_database
from messaging.tests.conversing import say
from messaging.tests.sockets import Socket, Sockets
from messaging.transport import EXTENSION, STALLED_SECONDS, UNSENT_BYTES, WAITING_BYTES

LONG = "🚲" * 4_000
LOOKS = 3  # At the client, until it is certain that it was looked at.


class Line:
    """What the server has for a client, which it takes or does not."""

    def __init__(self) -> None:
        self.unsent = 0
        self.looks = 0
        self.lost = False

    def unsent_bytes(self) -> int:
        self.looks += 1
        return self.unsent

    def is_lost(self) -> bool:
        return self.lost

    def send_text(self, text: str) -> bool:
        """This server knows no short way: everything goes through `send`."""
        return False

    def offer_texts(self, take: Any) -> None:
        """And comes through `receive`."""

    async def is_looked_at(self) -> None:
        until = self.looks + LOOKS
        async with asyncio.timeout(5):
            while self.looks < until:
                await asyncio.sleep(transport.POLL_SECONDS)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of the guard alone; it stands until it is set on."""
    moment = SimpleNamespace(now=1_000.0)
    clock = SimpleNamespace(monotonic=lambda: moment.now)
    monkeypatch.setattr(transport, "time", clock)
    return moment


async def enter(sockets: Sockets, user: Any, conversation: Conversation, line: Line) -> Socket:
    socket = await sockets.make(user, f"/ws/room/{conversation.pk}/")
    socket.communicator.scope["extensions"] = {EXTENSION: line}
    assert await socket.open()
    await socket.expect("ready")
    return socket


def test_what_is_promised() -> None:
    assert STALLED_SECONDS == 10
    assert UNSENT_BYTES + WAITING_BYTES < 1024 * 1024


async def test_who_lets_too_much_wait_is_closed_at_once(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, clock: Any
) -> None:
    """The clock stands: it is not the time that ends it."""
    line = Line()
    ana = await enter(sockets, buyer, conversation, line)
    other = await sockets.room(buyer, conversation.pk)
    line.unsent = UNSENT_BYTES
    enough = WAITING_BYTES // len(LONG.encode())
    for _ in range(enough - 1):
        await in_database(say, seller, conversation, LONG)
        await other.expect("chat_message")
    assert ana.communicator.output_queue.empty()
    for _ in range(3):
        await in_database(say, seller, conversation, LONG)
        await other.expect("chat_message")
    assert await ana.close_code() == 4408
    line.lost = True  # As it is a second later.


async def test_who_takes_nothing_for_ten_seconds_is_closed(
    sockets: Sockets, conversation: Conversation, buyer: Any, clock: Any
) -> None:
    line = Line()
    ana = await enter(sockets, buyer, conversation, line)
    line.unsent = UNSENT_BYTES
    await ana.send(type="ping")
    await line.is_looked_at()
    clock.now += STALLED_SECONDS - 0.1
    await line.is_looked_at()
    assert ana.communicator.output_queue.empty()
    clock.now += 0.2
    assert await ana.close_code() == 4408


async def test_who_takes_a_little_now_and_then_is_waited_for(
    sockets: Sockets, conversation: Conversation, buyer: Any, clock: Any
) -> None:
    line = Line()
    ana = await enter(sockets, buyer, conversation, line)
    line.unsent = UNSENT_BYTES + 10
    await ana.send(type="ping")
    await line.is_looked_at()
    for _ in range(10):
        clock.now += STALLED_SECONDS - 0.1
        line.unsent -= 1
        await line.is_looked_at()
    assert ana.communicator.output_queue.empty()
    line.unsent -= 1
    await ana.expect("pong")
    assert await ana.has_heard_all()


async def test_who_is_pushed_out_goes_at_once_though_they_take_nothing(
    sockets: Sockets, conversation: Conversation, buyer: Any, clock: Any
) -> None:
    """Else one after the other could be opened and left unread, far more than anybody may have."""
    line = Line()
    ana = await enter(sockets, buyer, conversation, line)
    line.unsent = UNSENT_BYTES
    await ana.send(type="ping")
    await line.is_looked_at()
    for _ in range(CONNECTIONS_PER_PERSON):
        await sockets.inbox(buyer)
    assert await ana.close_code() == 4430
    line.lost = True  # As it is a second later.


async def test_nothing_is_kept_for_one_who_is_lost(clock: Any) -> None:
    """Neither for ten seconds nor for one: what waits to be written goes with the connection."""
    line = Line()
    line.unsent = UNSENT_BYTES
    waiting = asyncio.create_task(transport.Pace(line).room_for_more())
    await line.is_looked_at()
    assert not waiting.done()
    line.lost = True
    await asyncio.wait_for(waiting, 5)
