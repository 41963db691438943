"""What each frame and each answer in JSON consists of, field by field: none comes in unseen.

An event that says too much tells it to everybody who is told at all, so each field is here because
somebody has thought about who reads it.
"""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from messaging import events
from messaging.models import Block, Conversation
from messaging.runtime import in_database
from messaging.services.participants import add_participant, leave_conversation
from messaging.tests.browsing import get_json, post_json, url
from messaging.tests.conversing import say
from messaging.tests.sockets import Sockets
from tests.cast import make_person

MESSAGE = {
    "conversation", "id", "sequence", "revision", "message", "username", "sender", "sender.id",
    "sender.role", "kind", "created_at", "edited_at", "deleted",
}  # fmt: skip
PARTICIPANTS = {
    f"participants.{name}"
    for name in ("id", "username", "role", "read_sequence", "online", "last_seen")
} | {"participants"}
ROOM = {"type", "user", "conversation", "revision", "last_sequence", "role", "read_sequence"}
RECEIPT = {"id", "sequence", "revision", "created_at", "duplicate"}
FRAMES = {
    "ready of a room": ROOM | PARTICIPANTS | {"heartbeat_seconds"},
    "ready of an inbox": {"type", "user", "unread", "cursor", "heartbeat_seconds"},
    "chat_message": {"type", *MESSAGE},
    "message_changed": {"type", *MESSAGE},
    "ack": {"type", "conversation", "client_message_id", *RECEIPT},
    "ack of a change": {"type", "conversation", *RECEIPT},
    "error": {"type", "code", "detail"},
    "read": {"type", "conversation", "user", "sequence"},
    "typing": {"type", "conversation", "user", "expires_in"},
    "place": {"type", "conversation", "archived", "starred", "muted"},
    "presence": {"type", "user", "online", "last_seen"},
    "participants": {"type", "conversation", *PARTICIPANTS},
    "removed": {"type", "conversation"},
    "heartbeat of a room": {"type", "conversation", "revision"},
    "heartbeat of an inbox": {"type", "cursor"},
    "pong": {"type"},
}
ROW = {
    "conversation", "listing", "listing.title", "listing.url", "listing.thumbnail",
    "listing.price", "listing.state", "other", "other.id", "other.username", "other.online",
    "role", "last_message", "last_message.message", "last_message.username",
    "last_message.created_at", "unread", "waiting_since", "archived", "starred", "muted",
}  # fmt: skip
ANSWERS = {
    "/conversations/": {"results", "next", *(f"results.{name}" for name in ROW)},
    "messages/": {"results", "next", *(f"results.{name}" for name in MESSAGE), "results.type"},
    "messages/?after=0": {
        "results", "next", *(f"results.{name}" for name in MESSAGE), "results.type", "user",
        "participants", *(f"participants.{n}" for n in ("id", "username", "role", "read_sequence")),
    },
    "/people/blocked/": {
        "results", "next", "results.id", "results.username", "results.blocked_at",
    },
}  # fmt: skip


def names_of(value: Any, before: str = "") -> set[str]:
    """Every field by its path; of a list, those of all its things."""
    if isinstance(value, list):
        return {name for one in value for name in names_of(one, before)}
    if not isinstance(value, dict):
        return set()
    found = set()
    for name, inner in value.items():
        found |= {f"{before}{name}"} | names_of(inner, f"{before}{name}.")
    return found


def name_of(frame: dict[str, Any], door: str) -> str:
    """Which row of the table a frame is."""
    kind = str(frame["type"])
    if kind in ("ready", "heartbeat"):
        return f"{kind} of {'a room' if door == 'room' else 'an inbox'}"
    if kind == "ack" and "client_message_id" not in frame:
        return "ack of a change"
    return kind


class Listeners:
    """Keeps what every socket of a test hears, by the row of the table."""

    def __init__(self, sockets: Sockets) -> None:
        self.sockets = sockets
        self.heard: dict[str, list[dict[str, Any]]] = {}

    async def listen(self, user: User, path: str) -> Any:
        socket = await self.sockets.open(user, path)
        door = "room" if "room" in path else "inbox"
        receive = socket.receive

        async def receive_and_keep() -> dict[str, Any]:
            frame = await receive()
            self.heard.setdefault(name_of(frame, door), []).append(frame)
            return frame

        socket.receive = receive_and_keep  # type: ignore[method-assign]
        await socket.expect("ready")
        return socket


async def test_every_frame_has_these_fields_and_no_others(
    sockets: Sockets, conversation: Conversation, buyer: User, seller: User, staff: User,
    settings: Any,
) -> None:  # fmt: skip
    settings.MESSAGING_HEARTBEAT_SECONDS = 0.2
    listeners = Listeners(sockets)
    room = f"/ws/room/{conversation.pk}/"
    ana, sol = await listeners.listen(buyer, room), await listeners.listen(seller, room)
    inbox = await listeners.listen(buyer, "/ws/inbox/")
    await ana.expect("presence")
    await ana.send(type="chat_message", message="Hello", client_message_id=str(uuid4()))
    await ana.until("ack")
    await sol.until("chat_message")
    await ana.send(type="edit", sequence=2, message="Hullo")
    await ana.until("ack")
    await sol.until("message_changed")
    await ana.send(type="typing")
    await sol.until("typing")
    await ana.send(type="read", sequence=2)
    await sol.until("read")
    await ana.send(type="nonsense")
    await ana.until("error")
    client = await in_database(sockets.client, buyer)
    await in_database(post_json, client, url(conversation, "star/"), on=1)
    await inbox.until("place")
    await in_database(add_colleague, conversation, staff)
    await inbox.until("participants")
    for socket in (ana, inbox):
        await socket.until("heartbeat")
        await socket.send(type="ping")
        await socket.until("pong")
    await in_database(leave_conversation, user_id=buyer.pk, conversation_id=conversation.pk)
    await inbox.until("removed")
    expect_the_table(listeners.heard, conversation, buyer)


def add_colleague(conversation: Conversation, staff: User) -> None:
    add_participant(
        conversation_id=conversation.pk,
        user_id=make_person("Colleague").pk,
        role="seller",
        added_by=staff,
    )


def expect_the_table(
    heard: dict[str, list[dict[str, Any]]], conversation: Conversation, buyer: User
) -> None:
    assert heard.keys() == FRAMES.keys()
    for name, frames in heard.items():
        for frame in frames:
            own = frame.get("sender", {}).get("id") == buyer.pk
            extra = (
                {"client_message_id"} if own and name.endswith(("message", "changed")) else set()
            )
            assert names_of(frame) - extra == FRAMES[name], name
    assert "@" not in json.dumps(heard)


def test_every_frame_that_there_is_has_a_row() -> None:
    """As docs/protocol.md lists them; `tests/test_protocol_page.py` holds that to the code."""
    from tests.services.places import PROJECT

    page = (PROJECT / "docs" / "protocol.md").read_text()
    table = page[page.index("### Server → client") :].partition("\n\n")[0]
    described = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert described == {name.partition(" of ")[0] for name in FRAMES}


@pytest.mark.django_db
def test_a_deleted_message_says_nothing_of_what_it_was(
    conversation: Conversation, buyer: User, seller: User, client_of: Any
) -> None:
    say(buyer, conversation, "A secret slip")
    post_json(client_of(buyer), url(conversation, "messages/2/edit/"), message="Another slip")
    post_json(client_of(buyer), url(conversation, "messages/2/delete/"))
    for reader in (buyer, seller):
        answer = get_json(client_of(reader), url(conversation, "messages/?after=0"))
        assert "slip" not in answer.content.decode()
        [found] = [row for row in answer.json()["results"] if row["sequence"] == 2]
        assert (found["message"], found["deleted"]) == ("", True)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ANSWERS)
def test_every_list_has_these_fields_and_no_others(
    conversation: Conversation, buyer: User, seller: User, client_of: Any, path: str
) -> None:
    Block.objects.create(blocker=seller, blocked=buyer)
    sol: Client = client_of(seller)
    answer = get_json(sol, path if path.startswith("/") else url(conversation, path))
    assert names_of(answer.json()) == ANSWERS[path]
    assert "@" not in answer.content.decode()


@pytest.mark.django_db
def test_every_answer_to_a_write_has_these_fields_and_no_others(
    conversation: Conversation, buyer: User, seller: User, client_of: Any
) -> None:
    ana: Client = client_of(buyer)
    receipt = {"conversation", "client_message_id", *RECEIPT}
    marks = {"conversation", "archived", "starred", "muted"}
    expected: dict[str, tuple[dict[str, Any], set[str]]] = {
        "new_message/": ({"message": "Hello"}, receipt),
        "messages/2/edit/": ({"message": "Hullo"}, receipt - {"client_message_id"}),
        "messages/2/delete/": ({}, receipt - {"client_message_id"}),
        "read/": ({"sequence": 1}, {"conversation", "sequence"}),
        "archive/": ({"on": 0}, marks),
        "star/": ({"on": 1}, marks),
        "mute/": ({"on": 1}, marks),
        "leave/": ({}, {"conversation", "left"}),
    }
    for tail, (body, names) in expected.items():
        answer = post_json(ana, url(conversation, tail), **body)
        assert names_of(answer.json()) == names, tail
    answer = post_json(client_of(seller), f"/people/{buyer.pk}/block/", on=1)
    assert names_of(answer.json()) == {"user", "blocked"}


def test_an_event_carries_the_senders_own_id_beside_the_text_and_not_in_it() -> None:
    """What goes to everybody is `text`; what is the sender's is added for them alone."""
    assert "client_message_id" in events.Event.__annotations__
    event: Any = {"text": '{"type":"chat_message"}', "client_message_id": "x"}
    assert json.loads(events.own_text(event))["client_message_id"] == "x"
    assert "client_message_id" not in event["text"]
