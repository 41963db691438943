"""One `client_message_id`, one message: over one socket, over two, over HTTP and a socket."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.tests.sockets import Sockets


async def count(conversation: Conversation) -> int:
    return await Message.objects.filter(conversation=conversation).acount() - 1


async def test_a_retry_is_answered_with_what_is_stored(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    identifier = str(uuid4())
    await ana.send(message="Once", client_message_id=identifier)
    first = await ana.expect("ack")
    await sol.expect("chat_message")
    await ana.send(message="  Once\x07 ", client_message_id=identifier)
    second = await ana.expect("ack")
    assert second == {**first, "duplicate": True}
    assert await sol.has_heard_all()
    assert await count(conversation) == 1


async def test_another_body_under_the_same_id_is_a_conflict(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    identifier = str(uuid4())
    await ana.send(message="Once", client_message_id=identifier)
    ack = await ana.expect("ack")
    await ana.send(message="Twice", client_message_id=identifier)
    error = await ana.expect("error")
    assert (error["code"], error["client_message_id"]) == ("conflict", identifier)
    assert (error["id"], error["sequence"]) == (ack["id"], ack["sequence"])
    assert (await Message.objects.aget(pk=ack["id"])).body == "Once"
    assert await count(conversation) == 1


async def test_an_id_is_compared_as_a_uuid(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    identifier = uuid4()
    given = [str(identifier), str(identifier).upper(), identifier.hex]
    for text in given:
        await ana.send(message="Once", client_message_id=text)
    acks = [await ana.expect("ack") for _ in given]
    assert [ack["duplicate"] for ack in acks] == [False, True, True]
    assert [ack["client_message_id"] for ack in acks] == given  # As each was written.
    assert await count(conversation) == 1


async def test_two_in_one_breath(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    identifier = str(uuid4())
    for body in ("Once", "Once", "Twice"):
        await ana.send(message=body, client_message_id=identifier)
    assert not (await ana.expect("ack"))["duplicate"]
    assert (await ana.expect("ack"))["duplicate"]
    assert (await ana.expect("error"))["code"] == "conflict"
    await sol.expect("chat_message")
    assert await sol.has_heard_all()
    assert await count(conversation) == 1


async def test_two_people_may_choose_the_same_id(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    identifier = str(uuid4())
    await ana.send(message="Mine", client_message_id=identifier)
    assert not (await ana.expect("ack"))["duplicate"]
    await sol.expect("chat_message")
    await sol.send(message="Also mine", client_message_id=identifier)
    assert not (await sol.expect("ack"))["duplicate"]
    assert await count(conversation) == 2


async def test_the_same_id_on_two_sockets_at_once(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    phone = await sockets.room(buyer, conversation.pk)
    laptop = await sockets.inbox(buyer)
    frame = {"message": "Once", "client_message_id": str(uuid4())}
    await asyncio.gather(
        phone.send(**frame), laptop.send(conversation=str(conversation.pk), **frame)
    )
    answers = [(await socket.until("ack"))[-1] for socket in (phone, laptop)]
    assert sorted(answer["duplicate"] for answer in answers) == [False, True]
    assert answers[0]["id"] == answers[1]["id"]
    await sol.expect("chat_message")
    assert await sol.has_heard_all()
    assert await count(conversation) == 1


@pytest.mark.parametrize("attempt", range(3))
async def test_the_same_id_over_http_and_a_socket_at_once(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, attempt: int
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    ana = await sockets.room(buyer, conversation.pk)
    body = {"message": f"Once {attempt}", "client_message_id": str(uuid4())}
    response, _ = await asyncio.gather(
        in_database(post, sockets, buyer, conversation, body), ana.send(**body)
    )
    ack = (await ana.until("ack"))[-1]
    answer = response.json()
    assert response.status_code == (200 if answer["duplicate"] else 201)
    assert sorted([answer["duplicate"], ack["duplicate"]]) == [False, True]
    assert answer["id"] == ack["id"]
    await sol.expect("chat_message")
    assert await sol.has_heard_all()
    assert await count(conversation) == 1


async def test_a_conflict_crosses_doors(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    identifier = str(uuid4())
    await ana.send(message="Over the socket", client_message_id=identifier)
    ack = await ana.expect("ack")
    body = {"message": "Over HTTP", "client_message_id": identifier}
    response = await in_database(post, sockets, buyer, conversation, body)
    assert response.status_code == 409
    assert (response.json()["code"], response.json()["id"]) == ("conflict", ack["id"])


def post(sockets: Sockets, user: Any, conversation: Conversation, body: dict[str, str]) -> Any:
    return sockets.client(user).post(
        f"/conversation/{conversation.pk}/new_message/",
        body,
        content_type="application/json",
        headers={"Accept": "application/json"},
    )
