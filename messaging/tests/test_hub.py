"""The groups of a process, and the bus between processes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from channels.layers import get_channel_layer

from messaging import bus
from messaging.bus import Bus, current_bus, make_piece
from messaging.hub import Hub, current_hub
from messaging.journals import current_journals
from messaging.models import Conversation
from messaging.shards import BUS_GROUP
from messaging.tests.conversing import draft_of
from messaging.tests.layers import HERE, Layer, Listener, event, put_in_place
from messaging.tests.sockets import Sockets

ELSEWHERE = uuid4()

layer = pytest.fixture(put_in_place, name="layer")


@pytest_asyncio.fixture
async def groups() -> AsyncIterator[Hub]:
    """A hub on the real layer."""
    made = current_hub()
    yield made
    await current_bus().finish()


# --- Groups -------------------------------------------------------------------------------------


async def test_an_event_goes_to_its_groups_and_to_nobody_else(groups: Hub) -> None:
    ana, sol, teo = Listener(), Listener(), Listener()
    for name, listener in (("ana", ana), ("sol", sol), ("teo", teo)):
        await groups.group_add(name, listener)
    groups.publish([event("one", "ana", "sol"), event("two", "sol"), event("three", "nobody")])
    assert (ana.heard, sol.heard, teo.heard) == (["one"], ["one", "two"], [])
    await groups.group_send("teo", event("four", "ana"))
    assert (ana.heard, teo.heard) == (["one"], ["four"])


async def test_a_connection_in_two_groups_gets_an_event_once(groups: Hub) -> None:
    ana = Listener()
    await groups.group_add("consumer.1", ana)
    await groups.group_add("seller.1", ana)
    groups.publish([event("once", "consumer.1", "seller.1")])
    assert ana.heard == ["once"]


async def test_a_room_gets_what_is_of_its_conversation(groups: Hub) -> None:
    room, other, inbox = Listener(HERE), Listener(ELSEWHERE), Listener()
    for listener in (room, other, inbox):
        await groups.group_add("consumer.1", listener)
    groups.publish([event("here", "consumer.1"), event("any", "consumer.1", conversation="")])
    assert (room.heard, other.heard, inbox.heard) == (["here", "any"], ["any"], ["here", "any"])


async def test_who_was_discarded_gets_nothing_and_is_forgotten(groups: Hub) -> None:
    ana = Listener()
    await groups.group_add("consumer.1", ana)
    await groups.group_discard("consumer.1", ana)
    await groups.group_discard("consumer.1", ana)
    await groups.group_discard("never.joined", ana)
    groups.publish([event("late", "consumer.1")])
    assert ana.heard == []
    assert groups.members("consumer.1") == []
    assert groups._groups == {}


# --- Between processes --------------------------------------------------------------------------


async def test_another_process_is_heard_over_the_real_layer(groups: Hub) -> None:
    ana = Listener()
    await groups.group_add("consumer.1", ana)
    layer: Any = get_channel_layer()
    piece = make_piece([event("from elsewhere", "consumer.1")], "another")
    await layer.group_send(BUS_GROUP, piece)
    await asyncio.wait_for(ana.something.wait(), 5)
    assert ana.heard == ["from elsewhere"]


@pytest.mark.parametrize(
    "odd", [{"events": [{"type": "of another version"}], "process": "another"}, {"events": []}]
)
async def test_what_cannot_be_understood_costs_only_itself(groups: Hub, odd: Any) -> None:
    ana = Listener()
    await groups.group_add("consumer.1", ana)
    layer: Any = get_channel_layer()
    await layer.group_send(BUS_GROUP, {"type": "messaging.batch", **odd})
    piece = make_piece([event("what comes next", "consumer.1")], "another")
    await layer.group_send(BUS_GROUP, piece)
    await asyncio.wait_for(ana.something.wait(), 5)
    assert ana.heard == ["what comes next"]


async def test_ones_own_piece_is_not_heard_twice(groups: Hub) -> None:
    ana = Listener()
    await groups.group_add("consumer.1", ana)
    groups.publish([event("mine", "consumer.1")])
    await current_bus().finish()
    layer: Any = get_channel_layer()
    piece = make_piece([event("then another's", "consumer.1")], "another")
    ana.something.clear()
    await layer.group_send(BUS_GROUP, piece)
    await asyncio.wait_for(ana.something.wait(), 5)
    assert ana.heard == ["mine", "then another's"]


async def test_a_batch_is_one_group_send(groups: Hub, layer: Layer) -> None:
    groups.publish([event(f"number {n}", "consumer.1") for n in range(300)])
    await current_bus().finish()
    assert [len(piece) for piece in layer.sent] == [300]


async def test_a_batch_of_the_journal_is_one_group_send(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, layer: Layer
) -> None:
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    for _ in range(50):
        current_journals().append(draft_of(buyer, conversation, "again"), lambda outcome: None)
    await current_journals().finish()
    await current_bus().finish()
    assert [len(piece) for piece in layer.messages()] == [50]
    for socket in (ana, sol):
        frames = [await socket.expect("chat_message") for _ in range(50)]
        assert [frame["revision"] for frame in frames] == list(range(2, 52))


async def test_pieces_are_bounded_in_bytes(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "PIECE_BYTES", 1_000)
    sent = [event("é" * 50, "consumer.1", padding=padding) for padding in [150] * 9 + [2_000]]
    under_way = Bus()
    under_way.put(sent)
    await under_way.finish()
    assert [one for piece in layer.sent for one in piece] == sent
    sizes = [sum(len(one["text"].encode()) for one in piece) for piece in layer.sent]
    assert all(size <= 1_000 for size in sizes[:-1])
    assert len(layer.sent[-1]) == 1  # Larger than a piece: it goes alone.


async def test_a_process_says_how_many_connections_it_has(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    """However many groups each of them is in."""
    await sockets.inbox(buyer)
    for user in (buyer, seller):
        await sockets.room(user, conversation.pk)
    assert len(current_hub()._list_connections()) == 3
