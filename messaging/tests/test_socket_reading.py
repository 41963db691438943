"""Read positions and typing, between people and between one person's own connections."""

from types import SimpleNamespace
from typing import Any

import pytest

from messaging import sending
from messaging.events import read_event, role_group
from messaging.hub import current_hub
from messaging.models import Conversation, Message, Participant
from messaging.runtime import in_database
from messaging.services.reading import mark_read
from messaging.tests.conversing import make_conversation, store
from messaging.tests.sockets import Sockets


async def position(conversation: Conversation, user: Any) -> tuple[int, int]:
    place = await Participant.objects.aget(conversation=conversation, user=user)
    return place.read_sequence, place.unread_count


# --- Read ---------------------------------------------------------------------------------------


async def test_the_others_and_own_other_connections_hear_of_a_read(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(store, buyer, conversation, "two", "three")
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    phone, inbox = await sockets.room(seller, conversation.pk), await sockets.inbox(seller)
    await sol.send(type="read", sequence=2)
    expected = {
        "type": "read",
        "conversation": str(conversation.pk),
        "user": seller.pk,
        "sequence": 2,
    }
    for socket in (ana, phone, inbox):
        assert await socket.expect("read") == expected
    assert await sol.is_silent()
    assert await position(conversation, seller) == (2, 1)


async def test_a_read_position_only_moves_forward(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(store, buyer, conversation, "two", "three")
    ana, sol = await sockets.room(buyer, conversation.pk), await sockets.inbox(seller)
    where = str(conversation.pk)
    await sol.send(type="read", sequence=3, conversation=where)
    assert (await ana.expect("read"))["sequence"] == 3
    for sequence in (1, 0, 3):
        await sol.send(type="read", sequence=sequence, conversation=where)
    await sol.send(message="Done", conversation=where)
    await ana.expect("chat_message")
    assert await ana.is_silent()
    assert await position(conversation, seller) == (3, 0)


@pytest.mark.parametrize("sequence", [99, 2**63 - 1])
async def test_above_the_head_counts_as_the_head(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, sequence: int
) -> None:
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    await sol.send(type="read", sequence=sequence)
    assert (await ana.expect("read"))["sequence"] == 1
    await ana.send(message="two")
    await sol.expect("chat_message")
    assert await position(conversation, seller) == (1, 1)


async def test_a_message_moves_its_senders_position_only_as_far_as_it_says(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(store, buyer, conversation, "two", "three")
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    await sol.send(message="No word about reading")
    await ana.expect("chat_message")
    assert await position(conversation, seller) == (0, 3)
    await sol.send(message="Seen two", read=2)
    frames = [await ana.receive() for _ in range(2)]
    assert {frame["type"]: frame.get("sequence") for frame in frames}["read"] == 2
    assert await position(conversation, seller) == (2, 1)
    assert (await sol.until("ack"))[-1]["sequence"] == 4
    assert (await sol.until("ack"))[-1]["sequence"] == 5
    assert await sol.is_silent()


async def test_reads_of_a_burst_end_at_the_furthest(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(store, buyer, conversation, *["again"] * 30)
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    for sequence in range(1, 31):
        await sol.send(type="read", sequence=sequence)
    seen = 0
    while seen < 30:
        frame = await ana.expect("read")
        assert frame["sequence"] > seen
        seen = frame["sequence"]
    assert await ana.has_heard_all()


async def test_a_late_read_event_does_not_take_a_read_mark_back(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(store, buyer, conversation, "two", "three")
    ana = await sockets.room(buyer, conversation.pk)
    for sequence in (3, 2):
        event = read_event(
            conversation_id=conversation.pk,
            user_id=seller.pk,
            sequence=sequence,
            groups=[role_group("buyer", buyer.pk)],
        )
        current_hub().deliver([event])
    assert (await ana.expect("read"))["sequence"] == 3
    assert await ana.has_heard_all()


async def test_reading_over_http_is_heard_everywhere(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    await in_database(mark_read, user_id=seller.pk, conversation_id=conversation.pk, sequence=1)
    assert (await ana.expect("read"))["user"] == seller.pk
    assert (await sol.expect("read"))["sequence"] == 1


@pytest.mark.parametrize("sequence", ["missing", None, "", "x", -1, 1.5, True, [], {}, 2**63])
async def test_a_read_wants_a_number(
    sockets: Sockets, conversation: Conversation, seller: Any, sequence: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    await sol.send(type="read", **({} if sequence == "missing" else {"sequence": sequence}))
    error = await sol.expect("error")
    assert (error["code"], "sequence" in error["detail"]) == ("invalid", True)
    assert await position(conversation, seller) == (0, 1)


async def test_a_read_while_the_database_is_away_is_unavailable(
    sockets: Sockets, conversation: Conversation, seller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sol = await sockets.room(seller, conversation.pk)

    def fail(**arguments: Any) -> int:
        raise RuntimeError("away")

    with monkeypatch.context() as patch:
        patch.setattr(sending, "mark_read", fail)
        await sol.send(type="read", sequence=1)
        assert (await sol.expect("error"))["code"] == "unavailable"
    await sol.send(type="read", sequence=1)
    await sol.send(message="and still here")
    await sol.expect("ack")


# --- Typing -------------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sending, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


async def test_only_the_others_hear_typing(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana, phone = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)
    sol, inbox = await sockets.room(seller, conversation.pk), await sockets.inbox(seller)
    await ana.send(type="typing")
    for socket in (sol, inbox):
        assert await socket.expect("typing") == {
            "type": "typing",
            "conversation": str(conversation.pk),
            "user": buyer.pk,
            "expires_in": 6,
        }
    assert await ana.has_heard_all()
    assert await phone.has_heard_all()
    assert await Message.objects.filter(conversation=conversation).acount() == 1


async def test_typing_is_told_at_most_every_three_seconds(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, clock: Clock
) -> None:
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    for _ in range(3):
        await ana.send(type="typing")
    await sol.expect("typing")
    clock.now += 2.9
    await ana.send(type="typing")
    assert await ana.has_heard_all()
    assert await sol.is_silent()
    clock.now += 0.2
    await ana.send(type="typing")
    await sol.expect("typing")


async def test_typing_in_one_conversation_leaves_the_others_alone(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, clock: Clock
) -> None:
    other = await in_database(make_conversation, buyer, seller)
    ana, sol = await sockets.inbox(buyer), await sockets.inbox(seller)
    for key in (conversation.pk, other.pk):
        await ana.send(type="typing", conversation=str(key))
    heard = {(await sol.expect("typing"))["conversation"] for _ in range(2)}
    assert heard == {str(conversation.pk), str(other.pk)}
