"""Changes of messages in gaps and replays: each comes once, in order, and rightly named."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from messaging import consumers
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.selectors import connections as selectors
from messaging.selectors.messages import Changes, changes_after
from messaging.services import changes as services
from messaging.services.changes import edit_message
from messaging.tests.conversing import say, store
from messaging.tests.sockets import Sockets


async def change(user: Any, conversation: Conversation, body: str, sequence: int = 1) -> None:
    await in_database(
        edit_message,
        user_id=user.pk,
        conversation_id=conversation.pk,
        sequence=sequence,
        body=body,
    )


# --- Gaps -----------------------------------------------------------------------------------------


async def test_a_lost_change_is_found_by_the_next_event(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    with monkeypatch.context() as layer:
        layer.setattr(services, "publish_on_commit", lambda events: None)
        await change(buyer, conversation, "Other words")
    await in_database(say, buyer, conversation, "next")
    assert (await sol.expect("message_changed"))["message"] == "Other words"
    assert (await sol.expect("chat_message"))["message"] == "next"
    assert await sol.has_heard_all()


async def test_ones_own_change_is_passed_over_by_a_read(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    with monkeypatch.context() as layer:
        layer.setattr(services, "publish_on_commit", lambda events: None)
        await ana.send(type="edit", sequence=1, message="Other words")
        assert (await ana.expect("ack"))["revision"] == 2
    await in_database(say, seller, conversation, "next")
    assert (await ana.expect("chat_message"))["revision"] == 3
    assert await ana.has_heard_all()


async def test_a_read_waits_for_ones_own_change_on_its_way(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The change has been stored and its answer has not come: the row shows it already."""
    ana = await sockets.room(buyer, conversation.pk)
    ends = asyncio.Event()
    loop = asyncio.get_running_loop()
    answer = services._receipt

    def wait(message: Message, **options: Any) -> Any:
        transaction.on_commit(lambda: asyncio.run_coroutine_threadsafe(ends.wait(), loop).result(5))
        return answer(message, **options)

    monkeypatch.setattr(services, "_receipt", wait)
    monkeypatch.setattr(services, "publish_on_commit", lambda events: None)
    await ana.send(type="edit", sequence=1, message="Other words")
    while (await in_database(Message.objects.get)).revision == 1:
        await asyncio.sleep(0)
    await in_database(say, seller, conversation, "next")
    await asyncio.sleep(2 * consumers.WAIT_FOR_GAP_SECONDS)
    ends.set()
    frames = [await ana.receive() for _ in range(2)]
    assert sorted(frame["type"] for frame in frames) == ["ack", "chat_message"]
    assert await ana.has_heard_all()


# --- Replays --------------------------------------------------------------------------------------


@pytest.fixture
def change_between_pages(
    monkeypatch: pytest.MonkeyPatch, conversation: Conversation, seller: Any
) -> list[tuple[int, str]]:
    """Pages of three; after each, the next of these changes of the seller's is made."""
    waiting: list[tuple[int, str]] = []

    def read(conversation_id: UUID, after: int) -> Changes:
        page = changes_after(conversation_id, after, limit=3)
        if waiting:
            sequence, body = waiting.pop(0)
            edit_message(
                user_id=seller.pk, conversation_id=conversation_id, sequence=sequence, body=body
            )
        return page

    monkeypatch.setattr(selectors, "changes_after", read)
    return waiting


def seen(frames: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    return [(frame["type"], frame["sequence"], frame["message"]) for frame in frames]


@pytest.mark.parametrize("kind", ["room", "inbox"])
async def test_a_message_comes_once_as_new_across_the_pages_of_a_replay(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    kind: str,
    change_between_pages: list[tuple[int, str]],
) -> None:
    await in_database(store, seller, conversation, *(f"number {n}" for n in range(2, 9)))
    # One that has come already, one that has not, and the first once more.
    change_between_pages.extend([(2, "mended"), (8, "mended"), (2, "twice")])
    if kind == "room":
        ana = await sockets.room(buyer, conversation.pk, after=0)
    else:
        ana = await sockets.inbox(buyer)
        await ana.send(type="resume", after=0, conversation=str(conversation.pk))
    *frames, ready = await ana.until("ready")
    news = [frame for frame in frames if frame["type"] != "presence"]
    changed = [frame for frame in news if frame["type"] == "message_changed"]
    created = [frame["sequence"] for frame in news if frame["type"] == "chat_message"]
    assert sorted(created) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert {frame["sequence"] for frame in changed} == {2}
    assert seen(news)[-1] == ("message_changed", 2, "twice")
    revisions = [frame["revision"] for frame in news]
    assert revisions == sorted(set(revisions))
    assert revisions[-1] == 11
    assert ready["last_sequence"] == 8


async def test_what_was_edited_before_its_page_was_read_comes_once_as_new(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    change_between_pages: list[tuple[int, str]],
) -> None:
    await in_database(store, seller, conversation, *(f"number {n}" for n in range(2, 9)))
    await change(seller, conversation, "before", sequence=3)
    change_between_pages.extend([(7, "between"), (3, "again")])
    ana = await sockets.room(buyer, conversation.pk, after=1)
    *frames, _ = await ana.until("ready")
    assert seen([frame for frame in frames if frame["type"] != "presence"]) == [
        ("chat_message", 2, "number 2"),
        ("chat_message", 4, "number 4"),
        ("chat_message", 5, "number 5"),
        ("chat_message", 6, "number 6"),
        ("chat_message", 8, "number 8"),
        ("chat_message", 3, "before"),
        ("chat_message", 7, "between"),
        ("message_changed", 3, "again"),
    ]
