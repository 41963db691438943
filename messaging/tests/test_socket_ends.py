"""However a connection ends, the process forgets it and nobody else notices."""

import asyncio
import logging
from typing import Any

import pytest
from django.db import OperationalError

from messaging import draining, presence
from messaging.attendance import current_attendance
from messaging.consumers import InboxConsumer, RoomConsumer
from messaging.heartbeat import current_heartbeat
from messaging.hub import current_hub
from messaging.journals import current_journals
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.tests.conversing import draft_of, say
from messaging.tests.sockets import Sockets


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Any:
    """Makes a handler of one of the consumers raise."""
    caplog.set_level(logging.CRITICAL, logger="messaging.connection")

    def break_handler(consumer: Any, name: str) -> None:
        def fail(*arguments: Any, **named: Any) -> None:
            raise RuntimeError("a mistake of ours")

        monkeypatch.setattr(consumer, name, fail)

    return break_handler


def is_forgotten(user: Any) -> bool:
    """No group, no heartbeat and no list has a connection of this person."""
    members = [member for group in current_hub()._groups.values() for member in group]
    known = [one for one in members + current_heartbeat().connections if hasattr(one, "person")]
    counted = user.pk in current_attendance().people
    return not counted and user.pk not in [one.person.id for one in known]


@pytest.mark.parametrize("name", ["receive_frame", "receive_message", "receive_ping"])
async def test_a_mistake_in_a_frame_closes_that_connection_only(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, broken: Any, name: str
) -> None:
    ana, sol = await sockets.room(buyer, conversation.pk), await sockets.inbox(seller)
    assert not is_forgotten(buyer)
    broken(RoomConsumer, name)
    await ana.send(type="ping") if name == "receive_ping" else await ana.send(message="Hello")
    assert await ana.close_code() == 4411
    await ana.close()
    assert is_forgotten(buyer)
    assert not is_forgotten(seller)
    assert await sol.has_heard_all()


async def test_a_mistake_in_delivering_closes_that_connection_only(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, broken: Any
) -> None:
    inbox, room = await sockets.inbox(buyer), await sockets.room(buyer, conversation.pk)
    broken(InboxConsumer, "chat_message")
    await in_database(say, seller, conversation, "two")
    assert await inbox.close_code() == 4411
    assert (await room.expect("chat_message"))["revision"] == 2
    await inbox.close()
    await in_database(say, seller, conversation, "three")
    assert (await room.expect("chat_message"))["revision"] == 3


@pytest.mark.parametrize("name", ["connections.changes_after", "entering.enter_rooms"])
@pytest.mark.parametrize(("error", "code"), [(RuntimeError, 4411), (OperationalError, 4413)])
async def test_a_replay_that_fails_closes(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    error: type[Exception],
    code: int,
) -> None:
    """A mistake of ours, or a database that is away: then everybody comes back later."""
    caplog.set_level(logging.CRITICAL, logger="messaging.connection")
    ana = await sockets.room(buyer, conversation.pk)

    def fail(*arguments: Any) -> None:
        raise error("the database is away")

    monkeypatch.setattr(f"messaging.selectors.{name}", fail)
    await ana.send(type="resume", after=0)
    assert await ana.close_code() == code
    await ana.close()
    assert is_forgotten(buyer)


async def test_a_handshake_that_fails_leaves_nothing(
    sockets: Sockets, conversation: Conversation, buyer: Any, broken: Any
) -> None:
    broken(RoomConsumer, "accept")
    answer = await sockets.knock(buyer, f"/ws/room/{conversation.pk}/")
    assert answer["type"] == "websocket.close"
    assert not is_forgotten(buyer)
    await sockets.close_all()
    assert is_forgotten(buyer)


async def test_a_connection_cut_in_the_middle_is_forgotten(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    ana.communicator.future.cancel()
    await asyncio.wait([ana.communicator.future])
    assert is_forgotten(buyer)


async def test_what_was_sent_before_hanging_up_is_stored(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    await ana.send(message="And gone")
    await ana.send(type="typing")
    await ana.close()
    assert is_forgotten(buyer)
    frames = await sol.until("chat_message")
    assert frames[-1]["message"] == "And gone"


async def test_fifty_short_visits_leave_nothing(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    for _ in range(50):
        ana = await sockets.room(buyer, conversation.pk)
        await ana.close()
    assert is_forgotten(buyer)
    assert len(current_heartbeat().connections) == 1
    assert set(current_hub()._groups) == {
        "presence",
        f"presence.{buyer.pk}",
        f"seller.{seller.pk}",
        "sessions",
    }
    assert await sol.has_heard_all()


async def test_draining_stores_what_was_taken_and_tells_all_to_come_back(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana, sol = await sockets.room(buyer, conversation.pk), await sockets.inbox(seller)
    for number in range(5):
        await ana.send(message=f"number {number}")
    assert (await ana.expect("ack"))["sequence"] == 2
    await draining.drain(seconds=5, is_busy=lambda: False)
    assert await ana.close_code() == 4412
    assert await sol.close_code() == 4412
    assert await Message.objects.filter(conversation=conversation).acount() == 6
    late: list[Any] = []
    current_journals().append(draft_of(buyer, conversation, "too late"), late.append)
    assert [refusal.code for refusal in late] == ["unavailable"]


async def test_presence_never_outlives_its_time(conversation: Conversation, buyer: Any) -> None:
    """A process that was killed says nothing: what it wrote lapses by itself."""
    await in_database(presence.mark_online, [buyer.pk])
    from django.core.cache import cache

    left = cache._cache.get_client().ttl(cache.make_key(f"presence.{buyer.pk}"))  # type: ignore[attr-defined]
    assert 0 < left < 60
