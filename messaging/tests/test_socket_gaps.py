"""A room gets every change once and in order, whatever the channel layer does to the events."""

import asyncio
import threading
from typing import Any
from uuid import UUID, uuid4

import pytest

from messaging import consumers
from messaging.events import Event
from messaging.hub import current_hub
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.selectors import connections as selectors
from messaging.selectors import entering
from messaging.selectors.messages import Changes, changes_after
from messaging.tests.conversing import store
from messaging.tests.sockets import Sockets


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From which revision on the database was read, each time."""
    noted: list[int] = []

    def note(conversation_id: UUID, after: int) -> Changes:
        noted.append(after)
        return changes_after(conversation_id, after)

    monkeypatch.setattr(selectors, "changes_after", note)
    return noted


async def events_of(user: Any, conversation: Conversation, *bodies: str) -> list[Event]:
    """Stored elsewhere; the events have not come yet."""
    return (await in_database(store, user, conversation, *bodies)).events


def deliver(*events: Event) -> None:
    current_hub().deliver(events)


async def test_a_lost_event_is_read_before_going_on(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, reads: list[int]
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    _, three = await events_of(seller, conversation, "two", "three")
    deliver(three)
    assert (await ana.expect("chat_message"))["message"] == "two"
    assert (await ana.expect("chat_message"))["message"] == "three"
    assert await ana.has_heard_all()
    assert reads == [1]


async def test_events_out_of_order_are_put_in_order_without_a_read(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, reads: list[int]
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    two, three, four = await events_of(seller, conversation, "two", "three", "four")
    deliver(four, three, two)
    frames = [await ana.expect("chat_message") for _ in range(3)]
    assert [frame["revision"] for frame in frames] == [2, 3, 4]
    assert await ana.is_silent()
    assert reads == []


async def test_a_late_event_within_the_wait_needs_no_read(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    reads: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumers, "WAIT_FOR_GAP_SECONDS", 5)
    ana = await sockets.room(buyer, conversation.pk)
    two, three = await events_of(seller, conversation, "two", "three")
    deliver(three)
    assert await ana.has_heard_all()
    deliver(two)
    assert (await ana.expect("chat_message"))["revision"] == 2
    assert (await ana.expect("chat_message"))["revision"] == 3
    assert reads == []


async def test_doubled_and_old_events_are_dropped(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    two, three = await events_of(seller, conversation, "two", "three")
    deliver(two, two, three, two, three)
    assert (await ana.expect("chat_message"))["revision"] == 2
    assert (await ana.expect("chat_message"))["revision"] == 3
    assert await ana.is_silent()


async def test_several_gaps_at_once(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    events = await events_of(seller, conversation, *"bcdefghij")
    deliver(events[7], events[3], events[5])
    frames = [await ana.expect("chat_message") for _ in events]
    assert [frame["revision"] for frame in frames] == list(range(2, 11))
    deliver(*events)
    assert await ana.has_heard_all()


async def test_a_conflict_does_not_bring_ones_own_message_back(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await events_of(seller, conversation, "two")
    identifier = str(uuid4())
    await ana.send(message="three", client_message_id=identifier)
    await ana.send(message="another three", client_message_id=identifier)
    assert (await ana.expect("ack"))["revision"] == 3
    assert (await ana.expect("error"))["code"] == "conflict"
    assert (await ana.expect("chat_message"))["message"] == "two"
    assert await ana.is_silent()


async def test_what_was_sent_before_ready_is_acknowledged_and_not_replayed(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()
    enter_rooms = entering.enter_rooms

    def wait_and_read(asked: Any) -> Any:
        assert go_on.wait(5)
        return enter_rooms(asked)

    monkeypatch.setattr(entering, "enter_rooms", wait_and_read)
    ana = await sockets.room(buyer, conversation.pk, after=0)
    recorded = await in_database(store, seller, conversation, "two")
    await ana.send(message="three")
    await asyncio.wait_for(_stored(conversation, 3), 5)
    deliver(*recorded.events)
    go_on.set()
    frames = await ana.until("ready")
    if "ack" not in [frame["type"] for frame in frames]:
        frames.append(await ana.receive())
    messages = [frame["message"] for frame in frames if frame["type"] == "chat_message"]
    assert messages == ["Is it still there?", "two"]
    assert [frame["revision"] for frame in frames if frame["type"] == "ack"] == [3]
    assert await ana.is_silent()


async def _stored(conversation: Conversation, sequence: int) -> None:
    rows = Message.objects.filter(conversation=conversation, sequence=sequence)
    while not await rows.aexists():
        await asyncio.sleep(0.01)


async def test_a_gap_in_one_room_holds_up_nobody_else(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    inbox = await sockets.inbox(buyer)
    _, three = await events_of(seller, conversation, "two", "three")
    deliver(three)
    assert (await inbox.expect("chat_message"))["revision"] == 3
    assert (await ana.expect("chat_message"))["revision"] == 2
