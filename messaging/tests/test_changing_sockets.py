"""The frames `edit` and `delete`, and what everybody's open sockets get of a change."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.utils import timezone

from messaging.events import Event
from messaging.hub import current_hub
from messaging.models import Block, Conversation, Message
from messaging.runtime import in_database
from messaging.services import changes as services
from messaging.services.changes import delete_message, edit_message
from messaging.tests.conversing import make_conversation, say
from messaging.tests.crowd import change_place
from messaging.tests.sockets import Socket, Sockets

# Exactly these and no more: nothing of what was deleted comes with the news of it.
CHANGED = {
    "type",
    "conversation",
    "id",
    "sequence",
    "revision",
    "message",
    "username",
    "sender",
} | {
    "kind",
    "created_at",
    "edited_at",
    "deleted",
}
ACK = {"type", "conversation", "id", "sequence", "revision", "created_at", "duplicate"}
EVENT = set(Event.__required_keys__)

KINDS = ["room", "inbox"]
over_each_socket = pytest.mark.parametrize("kind", KINDS)


async def open_socket(sockets: Sockets, kind: str, user: Any, conversation: Conversation) -> Socket:
    if kind == "room":
        return await sockets.room(user, conversation.pk)
    return await sockets.inbox(user)


async def change(user: Any, conversation: Conversation, body: str, sequence: int = 1) -> None:
    """As over HTTP; an empty text deletes."""
    arguments = {"user_id": user.pk, "conversation_id": conversation.pk, "sequence": sequence}
    if body:
        await in_database(edit_message, **arguments, body=body)
    else:
        await in_database(delete_message, **arguments)


@over_each_socket
async def test_an_edit_is_acknowledged_and_reaches_all_others(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, kind: str
) -> None:
    ana = await open_socket(sockets, kind, buyer, conversation)
    tab, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    inbox = await sockets.inbox(seller)
    where = {"conversation": str(conversation.pk)}
    await ana.send(type="edit", sequence=1, message=" Is it there? ", **where)
    ack = await ana.expect("ack")
    assert (set(ack), ack["revision"], ack["duplicate"]) == (ACK, 2, False)
    own = await tab.expect("message_changed")
    assert set(own) == CHANGED | {"client_message_id"}
    for socket in (sol, inbox):
        frame = await socket.expect("message_changed")
        assert set(frame) == CHANGED
        assert (frame["message"], frame["revision"], frame["sequence"]) == ("Is it there?", 2, 1)
        assert (frame["deleted"], bool(frame["edited_at"])) == (False, True)
        assert frame["sender"] == {"id": buyer.pk, "role": "buyer"}
    for socket in (ana, tab, sol, inbox):
        assert await socket.is_silent()


@over_each_socket
async def test_the_news_of_a_deletion_holds_nothing_of_it(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published: list[Event] = []
    monkeypatch.setattr(services, "publish_on_commit", published.extend)
    ana, sol = [await open_socket(sockets, kind, user, conversation) for user in (buyer, seller)]
    await change(buyer, conversation, "The secret word")
    published.clear()
    await ana.send(type="delete", sequence=1, conversation=str(conversation.pk))
    assert (await ana.expect("ack"))["revision"] == 3
    (event,) = published
    assert set(event) == EVENT
    for secret in ("secret", "still there"):
        assert secret not in str(event)
    current_hub().deliver([event])  # The edit before it is lost: a room reads both.
    frame = await sol.expect("message_changed")
    assert set(frame) == CHANGED
    assert (frame["message"], frame["deleted"], frame["revision"]) == ("", True, 3)


@over_each_socket
async def test_changes_happen_in_the_order_of_their_frames(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, kind: str
) -> None:
    ana = await open_socket(sockets, kind, buyer, conversation)
    sol = await sockets.room(seller, conversation.pk)
    where = {"conversation": str(conversation.pk)}
    identifier = str(uuid4())
    await ana.send(type="edit", sequence=1, message="first", **where)
    await ana.send(message="a message", client_message_id=identifier, **where)
    await ana.send(type="edit", sequence=1, message="second", **where)
    await ana.send(
        type="edit", sequence=99, message="nothing", client_message_id=identifier, **where
    )
    await ana.send(type="delete", sequence=1, **where)
    await ana.send(type="edit", sequence=1, message="too late", **where)
    await ana.send(type="ping")
    answers = [frame for frame in await ana.until("pong") if frame["type"] in ("ack", "error")]
    assert [answer.get("sequence") or answer["code"] for answer in answers] == [
        *(1, 2, 1),
        "not_found",
        1,
        "forbidden",
    ]
    assert answers[3]["client_message_id"] == identifier
    frames = [await sol.receive() for _ in range(4)]
    assert [frame["revision"] for frame in frames] == [2, 3, 4, 5]
    assert await sol.has_heard_all()


async def test_a_change_over_http_reaches_every_tab(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    opened = [await sockets.room(user, conversation.pk) for user in (buyer, buyer, seller)]
    await change(buyer, conversation, "Other words")
    await change(buyer, conversation, "")
    for socket in opened:
        first, second = [await socket.expect("message_changed") for _ in range(2)]
        assert (first["message"], second["message"]) == ("Other words", "")
        assert ("client_message_id" in first) == (socket is not opened[2])


# --- Refusals -------------------------------------------------------------------------------------


@over_each_socket
async def test_others_messages_are_refused(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, kind: str
) -> None:
    sol = await open_socket(sockets, kind, seller, conversation)
    for frame in ({"type": "edit", "message": "Mine now"}, {"type": "delete"}):
        await sol.send(**frame, sequence=1, conversation=str(conversation.pk))
        assert (await sol.expect("error"))["code"] == "forbidden"
    assert (await in_database(Message.objects.get)).revision == 1


@pytest.mark.parametrize("who", ["stranger", "staff", "left"])
async def test_who_takes_no_part_changes_nothing_over_an_inbox(
    sockets: Sockets, conversation: Conversation, buyer: Any, stranger: Any, staff: Any, who: str
) -> None:
    person = {"stranger": stranger, "staff": staff, "left": buyer}[who]
    teo = await sockets.inbox(person)
    if who == "left":
        await in_database(change_place, buyer, conversation, left_at=timezone.now())
    answers = []
    for key in (conversation.pk, uuid4()):
        for frame in ({"type": "edit", "message": "Hello"}, {"type": "delete"}):
            await teo.send(**frame, sequence=1, conversation=str(key))
            answers.append(await teo.expect("error"))
    assert answers == [answers[0]] * 4
    assert answers[0]["code"] == "not_found"


async def test_an_ended_session_changes_nothing(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await in_database(Session.objects.all()._raw_delete, "default")
    await ana.send(type="delete", sequence=1)
    assert (await ana.expect("error"))["code"] == "unauthenticated"
    assert await ana.close_code() == 4501
    assert (await in_database(Message.objects.get)).deleted_at is None


async def test_a_deactivated_person_changes_nothing(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    people = get_user_model()._default_manager.filter(pk=buyer.pk)
    await in_database(people.update, is_active=False)
    await ana.send(type="edit", sequence=1, message="Still here")
    assert (await ana.expect("error"))["code"] == "unauthenticated"


async def test_after_a_block_an_open_socket_may_only_take_back(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await in_database(Block.objects.create, blocker=seller, blocked=buyer)
    await ana.send(type="edit", sequence=1, message="Last words")
    assert (await ana.expect("error"))["code"] == "forbidden"
    await ana.send(message="Last words")
    assert (await ana.expect("error"))["code"] == "forbidden"
    await ana.send(type="delete", sequence=1)
    assert (await ana.expect("ack"))["revision"] == 2


async def test_too_many_changes_waiting_are_refused(
    sockets: Sockets, conversation: Conversation, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.changing.MAXIMUM_WAITING", 0)
    ana = await sockets.room(buyer, conversation.pk)
    await ana.send(type="delete", sequence=1)
    assert (await ana.expect("error"))["code"] == "unavailable"


# --- Who hears of it ------------------------------------------------------------------------------


async def test_the_oldest_client_shows_a_changed_message_once(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    """It knows `chat_message` only, so a change must never come as one a second time."""
    old = await sockets.room(buyer, conversation.pk)
    await in_database(say, seller, conversation, "Yes")
    await change(seller, conversation, "No", sequence=2)
    await in_database(say, seller, conversation, "Sorry")
    await old.send(type="chat_message", message="Oh")
    frames = [await old.receive() for _ in range(4)]
    shown = [frame["message"] for frame in frames if frame["type"] == "chat_message"]
    assert shown == ["Yes", "Sorry"]


async def test_an_inbox_hears_of_changes_of_its_own_conversations_only(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    other = await in_database(make_conversation, stranger, seller)
    teo = await sockets.inbox(stranger)
    await change(buyer, conversation, "Nothing for Teo")
    await in_database(say, seller, other, "For Teo")
    assert (await teo.expect("chat_message"))["message"] == "For Teo"
