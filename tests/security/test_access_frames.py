"""The access matrix of sockets: every path and every frame type, whoever sends it.

The paths come from the router and the frame types from the consumers. Rooms are only for who takes
part; over an inbox, which everybody has, a frame may name any conversation: that of others looks
like one that does not exist.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import User
from messaging.consumers import InboxConsumer, RoomConsumer
from messaging.models import Block, Conversation, Message, Participant, Role
from messaging.routing import websocket_urlpatterns
from messaging.runtime import in_database
from messaging.services.participants import (
    add_participant,
    leave_conversation,
    remove_participant,
)
from messaging.tests.conversing import say
from messaging.tests.sockets import Socket, Sockets
from tests.cast import make_person

End = Callable[[Sockets, User], Awaitable[None]]
SECRET = "Is it still there?"  # The conversation's first message.
IN_IT = ("owner", "other", "blocked")
OUT_OF_IT = ("stranger", "left", "removed", "clerk", "staff")
SHUT_OUT = ("anonymous", "deactivated")
# Every path of the router; the last takes everything else, and refuses it.
PATHS = {
    "ws/room/<str:conversation_id>/": "room",
    "ws/inbox/": "inbox",
    "": "nothing",
}
# What each frame does for who may (the type of the answer), and for a participant who is blocked.
# Where it names a message it is one of their own, so that nothing but the block can refuse it.
FRAMES: dict[str, tuple[dict[str, Any], str, str]] = {
    "chat_message": ({"message": "Hello"}, "ack", "forbidden"),
    "edit": ({"sequence": 1, "message": "Other words"}, "ack", "forbidden"),
    "delete": ({"sequence": 1}, "ack", "ack"),
    "read": ({"sequence": 1}, "", ""),
    "typing": ({}, "", ""),
    "resume": ({"after": 0}, "ready", "ready"),
    "ping": ({}, "pong", "pong"),
}
OF_NO_CONVERSATION = {"ping"}


@pytest.fixture
def people(
    conversation: Conversation, buyer: User, seller: User, stranger: User, staff: User
) -> dict[str, User]:
    found = {"owner": buyer, "other": seller, "stranger": stranger, "staff": staff}
    for name, role in {
        "blocked": Role.BUYER, "left": Role.SELLER, "removed": Role.SELLER,
        "deactivated": Role.BUYER,
    }.items():  # fmt: skip
        found[name] = make_person(name.title())
        add_participant(
            conversation_id=conversation.pk, user_id=found[name].pk, role=role, added_by=staff
        )
    found["clerk"] = make_person("Stan", is_staff=True)
    leave_conversation(user_id=found["left"].pk, conversation_id=conversation.pk)
    remove_participant(
        conversation_id=conversation.pk, user_id=found["removed"].pk, removed_by=staff
    )
    Block.objects.create(blocker=seller, blocked=found["blocked"])
    return found


def say_something(conversation: Conversation, user: User) -> int:
    """Their own message, of before anybody blocked anybody; its sequence. Of the blocks only those
    against them come back: who has blocked somebody in there may not write either."""
    blocks = list(Block.objects.filter(blocked=user))
    Block.objects.all().delete()
    sequence = say(user, conversation, "While I still could").sequence
    Block.objects.bulk_create(blocks)
    return sequence


def read_state(conversation: Conversation) -> list[Any]:
    """Whatever a frame could change of it."""
    messages = Message.objects.order_by("pk").values_list("pk", "body", "revision", "deleted_at")
    fields = ("user_id", "role", "left_at", "read_sequence", "unread_count", "changes", "starred")
    places = Participant.objects.order_by("pk").values_list(*fields)
    return [list(messages), list(places), Conversation.objects.get(pk=conversation.pk).revision]


async def switch_off(sockets: Sockets, user: User) -> None:
    """With a session of before, and without a word to anybody."""
    await sockets.session_key(user)
    await database_sync_to_async(User.objects.filter(pk=user.pk).update)(is_active=False)


async def answer_to(socket: Socket, frame: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The first answer to a frame, and all that came."""
    await socket.send(**frame)
    text = ""
    while True:
        found = await socket.receive()
        text += json.dumps(found)
        if found["type"] in ("ack", "error", "ready", "pong"):
            return found, text


# --- Paths ----------------------------------------------------------------------------------------


def test_every_path_has_a_row() -> None:
    assert [str(route.pattern) for route in websocket_urlpatterns] == list(PATHS)


async def test_who_gets_in_where(
    sockets: Sockets, conversation: Conversation, people: dict[str, User]
) -> None:
    await switch_off(sockets, people["deactivated"])
    room, missing = f"/ws/room/{conversation.pk}/", f"/ws/room/{uuid4()}/"
    for who in (*IN_IT, *OUT_OF_IT, *SHUT_OUT):
        user = people.get(who)
        own_room, own_inbox = who in IN_IT, who not in SHUT_OUT
        answers = {path: await sockets.knock(user, path) for path in (room, "/ws/inbox/")}
        assert (answers[room]["type"] == "websocket.accept") is own_room, who
        assert (answers["/ws/inbox/"]["type"] == "websocket.accept") is own_inbox, who
        refusals = [await sockets.knock(user, path) for path in (missing, "/ws/", "/ws/admin/")]
        if not own_room:
            refusals.append(answers[room])
        assert refusals == [{"type": "websocket.close"}] * len(refusals), who


# --- Frames ---------------------------------------------------------------------------------------


def test_every_frame_type_has_a_row() -> None:
    assert set(RoomConsumer.frame_handlers) == set(FRAMES)
    assert set(InboxConsumer.frame_handlers) == set(FRAMES)


@pytest.mark.parametrize("who", OUT_OF_IT)
async def test_over_an_inbox_what_is_others_is_as_if_it_were_not_there(
    sockets: Sockets, conversation: Conversation, people: dict[str, User], who: str
) -> None:
    before = await in_database(read_state, conversation)
    sol = await sockets.room(people["other"], conversation.pk)
    socket = await sockets.inbox(people[who])
    for type, (fields, _, _) in FRAMES.items():
        if type in OF_NO_CONVERSATION:
            continue
        frame = {"type": type, **fields, "client_message_id": str(uuid4())}
        foreign, text = await answer_to(socket, {**frame, "conversation": str(conversation.pk)})
        missing, _ = await answer_to(socket, {**frame, "conversation": str(uuid4())})
        assert foreign == missing, type
        assert foreign["code"] == "not_found", type
        assert SECRET not in text
        assert "@" not in text
    assert await in_database(read_state, conversation) == before
    assert await sol.is_silent()


@pytest.mark.parametrize("door", ["room", "inbox"])
@pytest.mark.parametrize("who", IN_IT)
async def test_who_takes_part_is_answered(
    sockets: Sockets, conversation: Conversation, people: dict[str, User], who: str, door: str
) -> None:
    """The positive control of each row; and to whom the other side has blocked, what is left."""
    own = await in_database(say_something, conversation, people[who])
    for type, (fields, expected, when_blocked) in FRAMES.items():
        if door == "room":
            socket = await sockets.room(people[who], conversation.pk)
        else:
            socket = await sockets.inbox(people[who])
        frame = {"type": type, **fields, "conversation": str(conversation.pk)}
        if "sequence" in frame:
            frame["sequence"] = own
        wanted = when_blocked if who == "blocked" else expected
        if not wanted:  # Frames are answered in their order: nothing comes before the pong.
            await socket.send(**frame)
            answer, _ = await answer_to(socket, {"type": "ping"})
            assert answer["type"] == "pong", type
        else:
            answer, text = await answer_to(socket, frame)
            assert answer.get("code", answer["type"]) == wanted, type
            assert "@" not in text
        await socket.close()


@pytest.mark.parametrize("who", ["other", "blocked"])
@pytest.mark.parametrize("type", ["edit", "delete"])
async def test_what_others_wrote_is_theirs(
    sockets: Sockets, conversation: Conversation, people: dict[str, User], who: str, type: str
) -> None:
    before = await in_database(read_state, conversation)
    for socket in (
        await sockets.room(people[who], conversation.pk),
        await sockets.inbox(people[who]),
    ):
        frame = {"type": type, **FRAMES[type][0], "conversation": str(conversation.pk)}
        answer, _ = await answer_to(socket, frame)
        assert answer["code"] == "forbidden"
    assert await in_database(read_state, conversation) == before


async def delete_session(sockets: Sockets, user: User) -> None:
    """As nothing that ends sessions does: without a word to anybody."""
    rows = Session.objects.filter(pk=await sockets.session_key(user))
    await database_sync_to_async(rows._raw_delete)(rows.db)


@pytest.mark.parametrize("end", [switch_off, delete_session])
@pytest.mark.parametrize("type", FRAMES)
async def test_who_is_shut_out_meanwhile_writes_nothing(
    sockets: Sockets, conversation: Conversation, buyer: User, type: str, end: End
) -> None:
    """Deactivated or signed out with open sockets, and nobody has been told: the frame itself
    finds out, through either door."""
    doors = [await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)]
    before = await in_database(read_state, conversation)
    await end(sockets, buyer)
    for ana in doors:
        await ana.send(**{"type": type, **FRAMES[type][0], "conversation": str(conversation.pk)})
        if type in OF_NO_CONVERSATION:
            await ana.expect("pong")
        else:
            assert await ana.close_code() == 4501
    assert await in_database(read_state, conversation) == before


@pytest.mark.parametrize("type", [type for type in FRAMES if type not in OF_NO_CONVERSATION])
async def test_who_left_meanwhile_writes_nothing(
    sockets: Sockets, conversation: Conversation, buyer: User, type: str
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    places = Participant.objects.filter(user=buyer)
    await database_sync_to_async(places.update)(left_at=timezone.now())
    before = await in_database(read_state, conversation)
    await ana.send(type=type, **FRAMES[type][0])
    if type in ("typing", "resume", "read"):
        assert await closes_or_refuses(ana)
    else:
        assert (await ana.expect("error"))["code"] == "not_found"
    assert await in_database(read_state, conversation) == before


async def closes_or_refuses(socket: Socket) -> bool:
    while True:
        output = await socket.communicator.receive_output(timeout=5)
        if output["type"] == "websocket.close":
            return bool(output["code"] == 4503)
        frame = json.loads(output["text"])
        if frame["type"] == "error":
            return bool(frame["code"] == "not_found")
        assert frame["type"] in ("presence", "heartbeat"), frame
