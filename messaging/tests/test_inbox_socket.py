"""The socket of everything: each frame names its conversation."""

from typing import Any
from uuid import uuid4

import pytest

from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.tests.conversing import make_conversation, say
from messaging.tests.sockets import Sockets

MISSING = object()


async def test_ready_counts_unread_conversations(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    sol = await sockets.open(seller, "/ws/inbox/")
    ready = await sol.receive()
    cursor = ready.pop("cursor")
    assert ready == {
        "type": "ready",
        "user": seller.pk,
        "unread": 1,
        "heartbeat_seconds": 25,
    }
    assert isinstance(cursor, str)
    ana = await sockets.open(buyer, "/ws/inbox/")
    assert (await ana.receive())["unread"] == 0
    teo = await sockets.open(stranger, "/ws/inbox/")
    assert (await teo.receive())["cursor"] != cursor


async def test_both_sides_of_a_person_in_one_inbox(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    bought = await in_database(make_conversation, seller, stranger)
    sol = await sockets.inbox(seller)
    await in_database(say, buyer, conversation, "To the seller")
    await in_database(say, stranger, bought, "To the buyer")
    frames = [await sol.expect("chat_message") for _ in range(2)]
    assert [frame["conversation"] for frame in frames] == [str(conversation.pk), str(bought.pk)]
    assert [frame["sender"]["role"] for frame in frames] == ["buyer", "seller"]


async def test_writing_over_the_inbox(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.inbox(seller)
    ana = await sockets.room(buyer, conversation.pk)
    identifier = str(uuid4())
    where = str(conversation.pk)
    await sol.send(message="Yes", conversation=where, client_message_id=identifier, read=1)
    ack = await sol.expect("ack")
    assert (ack["client_message_id"], ack["sequence"]) == (identifier, 2)
    frames = [(await ana.receive())["type"] for _ in range(2)]
    assert sorted(frames) == ["chat_message", "read"]
    assert await sol.has_heard_all()


@pytest.mark.parametrize(
    "frame",
    [
        {"message": "Hello"},
        {"type": "read", "sequence": 1},
        {"type": "typing"},
        {"type": "resume", "after": 0},
    ],
)
async def test_a_frame_must_name_its_conversation(
    sockets: Sockets, conversation: Conversation, buyer: Any, frame: dict[str, Any]
) -> None:
    ana = await sockets.inbox(buyer)
    key = str(conversation.pk)
    for where in (MISSING, "", 7, None, [], "not-a-uuid", f"{{{key}}}", f"urn:{key}", f"{key}\n"):
        await ana.send(**frame, **({} if where is MISSING else {"conversation": where}))
        error = await ana.expect("error")
        assert (error["code"], "conversation" in error["detail"]) == ("invalid", True)
    await ana.send(**frame, conversation=key)
    await ana.send(type="ping")
    assert "error" not in [answer["type"] for answer in await ana.until("pong")]


@pytest.mark.parametrize(
    "frame",
    [
        {"message": "Hello"},
        {"type": "read", "sequence": 1},
        {"type": "typing"},
        {"type": "resume", "after": 0},
    ],
)
async def test_a_strangers_conversation_is_like_a_missing_one(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    stranger: Any,
    frame: dict[str, Any],
) -> None:
    teo = await sockets.inbox(stranger)
    ana = await sockets.room(buyer, conversation.pk)
    answers = []
    for identifier in (conversation.pk, uuid4()):
        await teo.send(**frame, conversation=str(identifier))
        answers.append(await teo.expect("error"))
    assert answers[0] == answers[1]
    assert answers[0]["code"] == "not_found"
    assert await ana.has_heard_all()
    assert await Message.objects.filter(conversation=conversation).acount() == 1


async def test_a_foreign_conversation_named_in_a_room_is_ignored(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await ana.send(message="Here", conversation=str(uuid4()))
    ack = await ana.expect("ack")
    stored = await Message.objects.aget(pk=ack["id"])
    assert stored.conversation_id == conversation.pk


async def test_own_other_connections_and_not_the_own_one(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    phone, laptop = await sockets.inbox(buyer), await sockets.inbox(buyer)
    identifier = str(uuid4())
    await phone.send(
        message="Hello", conversation=str(conversation.pk), client_message_id=identifier
    )
    await phone.expect("ack")
    assert (await laptop.expect("chat_message"))["client_message_id"] == identifier
    assert await phone.has_heard_all()
