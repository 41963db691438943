"""One conversation over a socket: sending, acknowledging, delivering."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from messaging import presence
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.tests.conversing import make_conversation, say
from messaging.tests.sockets import Sockets

MESSAGE_FIELDS = {
    "type",
    "conversation",
    "id",
    "sequence",
    "revision",
    "message",
    "username",
    "sender",
    "kind",
    "created_at",
    "edited_at",
    "deleted",
}


async def test_buyer_writes_and_seller_gets_it(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    identifier = str(uuid4())
    await ana.send(type="chat_message", message=" Hello Sol ", client_message_id=identifier)
    ack = await ana.expect("ack")
    assert ack["client_message_id"] == identifier
    assert (ack["sequence"], ack["revision"], ack["duplicate"]) == (2, 2, False)
    frame = await sol.expect("chat_message")
    assert set(frame) == MESSAGE_FIELDS
    assert frame["message"] == "Hello Sol"
    assert frame["username"] == "Ana"
    assert frame["sender"] == {"id": buyer.pk, "role": "buyer"}
    assert (frame["id"], frame["sequence"], frame["revision"]) == (ack["id"], 2, 2)
    assert frame["created_at"] == ack["created_at"]
    assert frame["created_at"].endswith("Z")
    assert (frame["kind"], frame["edited_at"], frame["deleted"]) == ("text", None, False)
    assert await ana.is_silent()


async def test_ready_is_the_first_frame_and_says_where_things_stand(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(say, seller, conversation, "Yes", read_sequence=1)
    sol = await sockets.open(seller, f"/ws/room/{conversation.pk}/")
    ready = await sol.receive()
    people = {person.pop("id"): person for person in ready.pop("participants")}
    assert ready == {
        "type": "ready",
        "user": seller.pk,
        "conversation": str(conversation.pk),
        "revision": 2,
        "last_sequence": 2,
        "role": "seller",
        "read_sequence": 1,
        "heartbeat_seconds": 25,
    }
    assert people[buyer.pk] == {
        "username": "Ana",
        "role": "buyer",
        "read_sequence": 0,
        "online": False,
        "last_seen": None,
    }
    assert people[seller.pk]["read_sequence"] == 1
    assert set(people) == {buyer.pk, seller.pk}


async def test_ready_says_who_is_here(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(presence.mark_online, [buyer.pk])
    sol = await sockets.open(seller, f"/ws/room/{conversation.pk}/")
    ready = await sol.expect("ready")
    ana = next(person for person in ready["participants"] if person["id"] == buyer.pk)
    assert (ana["online"], ana["last_seen"]) == (True, presence.today())


async def test_without_after_nothing_is_replayed(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.open(buyer, f"/ws/room/{conversation.pk}/")
    assert (await ana.receive())["type"] == "ready"
    assert await ana.has_heard_all()


async def test_the_oldest_client_needs_no_type_and_no_id(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    await ana.send(message="Hello", room="ignored", username="Somebody else", sequence=99)
    ack = await ana.expect("ack")
    assert str(UUID(ack["client_message_id"])) == ack["client_message_id"]
    frame = await sol.expect("chat_message")
    assert (frame["username"], frame["message"], frame["sequence"]) == ("Ana", "Hello", 2)
    await ana.send(type="chat_message", message="Hello")
    again = await ana.expect("ack")
    assert again["client_message_id"] != ack["client_message_id"]
    assert (await sol.expect("chat_message"))["sequence"] == 3
    assert await ana.has_heard_all()


async def test_the_senders_other_connections_get_it_with_its_client_id(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    phone = await sockets.room(buyer, conversation.pk)
    laptop = await sockets.room(buyer, conversation.pk)
    inbox = await sockets.inbox(buyer)
    sol = await sockets.room(seller, conversation.pk)
    identifier = str(uuid4())
    await phone.send(message="From the phone", client_message_id=identifier)
    await phone.expect("ack")
    for other in (laptop, inbox):
        frame = await other.expect("chat_message")
        assert frame["client_message_id"] == identifier
        assert set(frame) == MESSAGE_FIELDS | {"client_message_id"}
    assert "client_message_id" not in await sol.expect("chat_message")
    assert await phone.has_heard_all()


async def test_a_message_over_http_reaches_every_connection(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    identifier = uuid4()
    await in_database(say, buyer, conversation, "By form", client_message_id=identifier)
    assert (await ana.expect("chat_message"))["client_message_id"] == str(identifier)
    assert "client_message_id" not in await sol.expect("chat_message")


async def test_a_strangers_sockets_stay_silent(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    teo = await sockets.inbox(stranger)
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.inbox(seller)
    await ana.send(message="Between us")
    await ana.expect("ack")
    await sol.expect("chat_message")
    await ana.send(type="typing")
    await sol.expect("typing")
    await ana.send(type="read", sequence=1)
    await sol.expect("read")
    await teo.send(type="ping")
    assert await teo.receive() == {"type": "pong"}


async def test_a_room_gets_nothing_of_another_conversation_of_the_same_people(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    other = await in_database(make_conversation, buyer, seller)
    ana = await sockets.room(buyer, conversation.pk)
    there = await sockets.room(buyer, other.pk)
    sol = await sockets.room(seller, other.pk)
    await sol.send(message="About the other thing")
    await sol.expect("ack")
    assert (await there.expect("chat_message"))["conversation"] == str(other.pk)
    await sol.send(type="typing")
    await there.expect("typing")
    await sol.send(type="read", sequence=1)
    await there.expect("read")
    assert await ana.has_heard_all()


async def test_answers_come_in_the_order_of_the_frames(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await ana.send(message="one")
    await ana.send(message=" ")
    await ana.send_text("{")
    await ana.send(message="two")
    await ana.send(type="ping")
    await ana.send(type="dance")
    await ana.send(message="three")
    frames = [await ana.receive() for _ in range(7)]
    given = [frame.get("code") or frame.get("sequence") or frame["type"] for frame in frames]
    assert given == [2, "empty", "invalid_json", 3, "pong", "unknown_type", 4]


async def test_many_at_once_are_numbered_in_order_and_acknowledged_in_order(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, settings: Any
) -> None:
    settings.MESSAGING_SEND_LIMITS = []
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    identifiers = [str(uuid4()) for _ in range(80)]
    for number, identifier in enumerate(identifiers):
        await ana.send(message=f"number {number}", client_message_id=identifier)
    acks = [await ana.expect("ack") for _ in identifiers]
    assert [ack["client_message_id"] for ack in acks] == identifiers
    assert [ack["sequence"] for ack in acks] == list(range(2, 82))
    frames = [await sol.expect("chat_message") for _ in identifiers]
    assert [frame["message"] for frame in frames] == [f"number {n}" for n in range(80)]
    assert [frame["revision"] for frame in frames] == list(range(2, 82))
    assert await ana.has_heard_all()
    assert await Message.objects.filter(conversation=conversation).acount() == 81


async def test_ping_is_answered(sockets: Sockets, conversation: Conversation, buyer: Any) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await ana.send(type="ping", whatever=[1, 2])
    assert await ana.receive() == {"type": "pong"}


@pytest.mark.parametrize("state", ["closed", "blocked", "left"])
async def test_who_may_no_longer_write_is_told_and_a_retry_is_still_answered(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, state: str
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    identifier = str(uuid4())
    await ana.send(message="Before", client_message_id=identifier)
    assert not (await ana.expect("ack"))["duplicate"]
    await sol.expect("chat_message")
    await in_database(_forbid, conversation, buyer, seller, state)
    refused = str(uuid4())
    await ana.send(message="After", client_message_id=refused)
    error = await ana.expect("error")
    assert error["code"] == ("not_found" if state == "left" else "forbidden")
    assert error["client_message_id"] == refused
    assert error["detail"]
    await ana.send(message="Before", client_message_id=identifier)
    assert (await ana.expect("ack"))["duplicate"]
    assert await sol.has_heard_all()


def _forbid(conversation: Conversation, buyer: Any, seller: Any, state: str) -> None:
    if state == "closed":
        Conversation.objects.filter(pk=conversation.pk).update(state=Conversation.State.CLOSED)
    elif state == "blocked":
        seller.blocks.create(blocked=buyer)
    else:
        conversation.participants.filter(user=buyer).update(left_at=conversation.created_at)
