"""What a client missed: `after` in the address of a room, `resume` on both sockets."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.services.record import record
from messaging.tests.conversing import draft_of, say, store
from messaging.tests.sockets import Sockets


def revisions(frames: list[dict[str, Any]]) -> list[int]:
    return [frame["revision"] for frame in frames]


async def test_after_brings_what_is_newer_and_then_ready(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    identifier = uuid4()
    await in_database(store, seller, conversation, "two", "three")
    await in_database(say, buyer, conversation, "four", client_message_id=identifier)
    ana = await sockets.room(buyer, conversation.pk, after=2)
    three, four, ready = await ana.until("ready")
    assert (three["type"], three["message"], three["revision"]) == ("chat_message", "three", 3)
    assert "client_message_id" not in three
    assert (four["message"], four["client_message_id"]) == ("four", str(identifier))
    assert (ready["revision"], ready["last_sequence"]) == (4, 4)
    assert await ana.has_heard_all()


async def test_live_messages_follow_a_replay_without_a_gap(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(store, seller, conversation, "two")
    ana = await sockets.room(buyer, conversation.pk, after=0)
    await in_database(say, seller, conversation, "three")
    frames = await ana.until("ready")
    if frames[-1]["revision"] == 2:
        frames.append(await ana.expect("chat_message"))
    messages = [frame for frame in frames if frame["type"] == "chat_message"]
    assert revisions(messages) == [1, 2, 3]
    assert await ana.has_heard_all()


@pytest.mark.parametrize("after", [1, 2, 500, 2**63 - 1])
async def test_after_at_or_beyond_the_head_counts_as_the_head(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, after: int
) -> None:
    ana = await sockets.room(buyer, conversation.pk, after=after)
    ready = await ana.receive()
    assert (ready["type"], ready["revision"]) == ("ready", 1)
    await in_database(say, seller, conversation, "next")
    assert (await ana.expect("chat_message"))["revision"] == 2


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "%2B1", str(2**63), "9" * 5_000, "%00", "１"])
async def test_a_malformed_after_is_named_and_counts_as_none(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, after: str
) -> None:
    ana = await sockets.open(buyer, f"/ws/room/{conversation.pk}/?after={after}")
    error = await ana.receive()
    assert (error["type"], error["code"]) == ("error", "invalid")
    assert "after" in error["detail"]
    assert (await ana.receive())["type"] == "ready"
    await in_database(say, seller, conversation, "next")
    assert (await ana.expect("chat_message"))["revision"] == 2


async def test_a_long_replay_comes_whole_and_in_order(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    drafts = [draft_of(seller, conversation, f"number {n}") for n in range(450)]
    await in_database(record, drafts)
    ana = await sockets.room(buyer, conversation.pk, after=0)
    *messages, ready = await ana.until("ready")
    assert revisions(messages) == list(range(1, 452))
    assert ready["revision"] == ready["last_sequence"] == 451
    assert await ana.has_heard_all()


@pytest.mark.parametrize("count", [199, 200, 201])
async def test_a_replay_of_about_one_page_is_whole(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, count: int
) -> None:
    await in_database(store, seller, conversation, *["again"] * count)
    ana = await sockets.room(buyer, conversation.pk, after=1)
    *messages, ready = await ana.until("ready")
    assert revisions(messages) == list(range(2, count + 2))
    assert ready["revision"] == count + 1
    await in_database(say, seller, conversation, "and on")
    assert (await ana.expect("chat_message"))["revision"] == count + 2


async def test_what_was_created_after_comes_once_in_its_latest_state(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(store, seller, conversation, "two", "three", "four")
    await in_database(_change, conversation, {1: "edited one", 3: "edited three"})
    ana = await sockets.room(buyer, conversation.pk, after=1)
    *frames, ready = await ana.until("ready")
    assert [(f["type"], f["message"], f["revision"]) for f in frames] == [
        ("chat_message", "two", 2),
        ("chat_message", "four", 4),
        ("message_changed", "edited one", 5),
        ("chat_message", "edited three", 6),
    ]
    assert frames[2]["edited_at"] is not None
    assert ready["revision"] == 6


async def test_a_deleted_message_has_no_body_in_a_replay(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(store, seller, conversation, "secret")
    await in_database(_delete, conversation, 2)
    ana = await sockets.room(buyer, conversation.pk, after=1)
    frame, _ = await ana.until("ready")
    assert (frame["message"], frame["deleted"]) == ("", True)
    assert "secret" not in str(frame)


def _change(conversation: Conversation, bodies: dict[int, str]) -> None:
    for sequence, body in bodies.items():
        conversation.refresh_from_db()
        conversation.revision += 1
        conversation.save()
        Message.objects.filter(conversation=conversation, sequence=sequence).update(
            body=body, revision=conversation.revision, edited_at=timezone.now()
        )


def _delete(conversation: Conversation, sequence: int) -> None:
    _change(conversation, {sequence: "secret"})
    rows = Message.objects.filter(conversation=conversation, sequence=sequence)
    rows.update(deleted_at=timezone.now() + timedelta(seconds=1))


async def test_resume_on_a_room(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(store, seller, conversation, "two")
    ana = await sockets.room(buyer, conversation.pk)
    await ana.send(type="resume", after=0)
    one, two, ready = await ana.until("ready")
    assert (one["revision"], two["revision"]) == (1, 2)
    assert "client_message_id" in one
    assert (ready["revision"], ready["role"]) == (2, "buyer")
    await ana.send(type="resume", after=99)
    assert (await ana.receive())["revision"] == 2
    await in_database(say, seller, conversation, "three")
    assert (await ana.expect("chat_message"))["revision"] == 3
    assert await ana.has_heard_all()


async def test_resume_on_an_inbox_is_about_one_conversation(
    sockets: Sockets, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    await in_database(store, seller, conversation, "two", "three")
    ana = await sockets.inbox(buyer)
    await ana.send(type="resume", after=1, conversation=str(conversation.pk))
    two, three, ready = await ana.until("ready")
    assert revisions([two, three]) == [2, 3]
    assert two["conversation"] == ready["conversation"] == str(conversation.pk)
    assert (ready["revision"], ready["last_sequence"], ready["role"]) == (3, 3, "buyer")
    await ana.send(type="resume", after=2**63 - 1, conversation=str(conversation.pk))
    assert (await ana.receive())["revision"] == 3


async def test_resume_over_several_pages_on_an_inbox(
    sockets: Sockets, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    await in_database(store, buyer, conversation, *["again"] * 400)
    sol = await sockets.inbox(seller)
    await sol.send(type="resume", after=0, conversation=str(conversation.pk))
    *messages, ready = await sol.until("ready")
    assert revisions(messages) == list(range(1, 402))
    assert ready["revision"] == 401


async def test_resume_of_a_strangers_conversation_is_like_a_missing_one(
    sockets: Sockets, conversation: Conversation, stranger: Any
) -> None:
    teo = await sockets.inbox(stranger)
    answers = []
    for identifier in (conversation.pk, uuid4()):
        await teo.send(type="resume", after=0, conversation=str(identifier))
        answers.append(await teo.receive())
    assert answers[0] == answers[1]
    assert answers[0]["code"] == "not_found"


@pytest.mark.parametrize("after", [None, "", "x", -1, 1.5, True, [], {}, 2**63])
async def test_resume_wants_a_number(
    sockets: Sockets, conversation: Conversation, buyer: Any, after: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await ana.send(type="resume", after=after)
    error = await ana.expect("error")
    assert (error["code"], "after" in error["detail"]) == ("invalid", True)
