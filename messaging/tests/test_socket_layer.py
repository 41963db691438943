"""A channel layer that is away, fails or hangs: sends and connections go on, and it heals."""

import asyncio
from typing import Any

import pytest

from messaging import bus, hub
from messaging.bus import Bus, make_piece
from messaging.hub import Hub
from messaging.models import Conversation
from messaging.runtime import in_database
from messaging.tests.conversing import store
from messaging.tests.layers import Layer, Listener, event, fail, hang, put_in_place
from messaging.tests.sockets import Sockets

layer = pytest.fixture(put_in_place, name="layer")


@pytest.mark.parametrize("trouble", [fail, hang])
async def test_what_cannot_be_published_is_dropped_and_counted(
    layer: Layer, trouble: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "DEADLINE_SECONDS", 0.05)
    under_way = Bus()
    layer.act = trouble
    under_way.put([event("one", "a"), event("two", "a")])
    await under_way.finish()
    assert (under_way.failures, under_way.dropped, layer.sent) == (1, 2, [])
    layer.act = None
    under_way.put([event("three", "a")])
    await under_way.finish()
    assert [len(piece) for piece in layer.sent] == [1]


async def test_what_waits_for_a_layer_is_bounded(
    layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "MAXIMUM_WAITING", 10)
    under_way = Bus()
    under_way.put([event(str(number), "a") for number in range(25)])
    assert under_way.dropped == 15
    await under_way.finish()
    (piece,) = layer.sent
    assert [one["user"] for one in piece] == [str(number) for number in range(15, 25)]


async def test_the_bytes_that_wait_for_a_layer_are_bounded(
    layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "MAXIMUM_WAITING_BYTES", 10 * len(event("a", "a")["text"]))
    under_way = Bus()
    for _ in range(2):  # The second time shows that what has left no longer counts.
        under_way.put([event("a", "a") for _ in range(25)])
        await under_way.finish()
    assert under_way.dropped == 30
    assert [len(piece) for piece in layer.sent] == [10, 10]


@pytest.mark.parametrize("trouble", [fail, hang])
async def test_an_ack_and_the_people_here_do_not_wait_for_the_layer(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    layer: Layer,
    trouble: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus, "DEADLINE_SECONDS", 0.5)
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    layer.act = trouble
    async with asyncio.timeout(2):  # One after the other, each well below the deadline.
        for number in range(8):
            await ana.send(message=f"number {number}")
            assert (await ana.expect("ack"))["sequence"] == number + 2
            assert (await sol.expect("chat_message"))["sequence"] == number + 2
    assert layer.messages() == []


class AwayLayer:
    """Cannot be subscribed to until `back` is set."""

    def __init__(self) -> None:
        self.back = asyncio.Event()

    async def new_channel(self) -> str:
        if not self.back.is_set():
            raise ConnectionError("the layer is away")
        return "channel"

    async def group_add(self, group: str, channel: str) -> None:
        pass

    async def receive(self, channel: str) -> Any:
        await asyncio.Event().wait()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> AwayLayer:
    away = AwayLayer()
    monkeypatch.setattr(hub, "get_channel_layer", lambda: away)
    monkeypatch.setattr(hub, "SUBSCRIBE_SECONDS", 0.3)
    monkeypatch.setattr(hub, "RETRY_SECONDS", 0.05)
    return away


async def test_connections_are_taken_while_the_layer_is_away_and_wait_for_it_once(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, away: AwayLayer
) -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()
    ana = await sockets.room(buyer, conversation.pk)
    assert loop.time() - before >= 0.3
    before = loop.time()
    sol = await sockets.room(seller, conversation.pk)
    await sockets.inbox(seller)
    assert loop.time() - before < 0.3
    await ana.send(message="Hello")
    await ana.expect("ack")
    await sol.expect("chat_message")


async def test_when_the_layer_is_back_what_was_missed_comes_at_once(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, away: AwayLayer
) -> None:
    ana = await sockets.room(buyer, conversation.pk)  # The next heartbeat is 25 s away.
    await in_database(store, seller, conversation, "from another process")
    assert await ana.is_silent()
    away.back.set()
    assert (await ana.expect("chat_message"))["message"] == "from another process"
    assert (await ana.expect("heartbeat"))["revision"] == 2


async def test_a_layer_that_breaks_is_subscribed_to_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "RETRY_SECONDS", 0.01)
    layer = BreakingLayer()
    monkeypatch.setattr(hub, "get_channel_layer", lambda: layer)
    ana = Listener()
    fresh = Hub()
    back: list[str] = []
    fresh.on_subscribed = [lambda: back.append("back")]
    await fresh.group_add("consumer.1", ana)
    await asyncio.wait_for(ana.something.wait(), 5)
    assert ana.heard == ["after the break"]
    assert back == ["back", "back"]
    assert layer.left == ["channel"]  # Else it would go on filling a queue that nobody reads.


class BreakingLayer:
    """The first subscription breaks; over the second comes something."""

    subscriptions = 0

    def __init__(self) -> None:
        self.left: list[str] = []

    async def new_channel(self) -> str:
        return "channel"

    async def group_add(self, group: str, channel: str) -> None:
        self.subscriptions += 1

    async def group_discard(self, group: str, channel: str) -> None:
        self.left.append(channel)

    async def receive(self, channel: str) -> Any:
        if self.subscriptions == 1:
            raise ConnectionError("the layer broke")
        if self.subscriptions == 3:
            await asyncio.Event().wait()
        self.subscriptions = 3
        return make_piece([event("after the break", "consumer.1")], "another")
