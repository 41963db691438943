"""What a connection must not go on telling: replays of who is gone, presence after a lost hint."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from messaging.heartbeat import current_heartbeat
from messaging.hub import current_hub
from messaging.models import Conversation
from messaging.runtime import in_database
from messaging.selectors import connections as selectors
from messaging.selectors import entering
from messaging.selectors.messages import Changes, changes_after
from messaging.services import blocks as services
from messaging.services.blocks import block_person, unblock_person
from messaging.tests.conversing import store
from messaging.tests.crowd import ask, make_listing
from messaging.tests.sockets import Socket, Sockets
from messaging.tests.test_participants import add, leave, remove

SECRET = "Now that they are gone"


@pytest.fixture(autouse=True)
def idle_heartbeat(settings: Any) -> None:
    settings.MESSAGING_HEARTBEAT_SECONDS = 60


async def beat(*sockets: Socket) -> list[list[dict[str, Any]]]:
    """A heartbeat's frames of each."""
    current_heartbeat()._soon.set()
    return [await socket.until("heartbeat") for socket in sockets]


# --- Replays --------------------------------------------------------------------------------------


@pytest.fixture
def between_pages(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Pages of three, and what is given happens before the second one is read."""

    def arrange(happens: Callable[[], Any]) -> None:
        pages: list[int] = []

        def read(conversation_id: Any, after: int) -> Changes:
            pages.append(after)
            if len(pages) == 2:
                happens()
            return changes_after(conversation_id, after, limit=3)

        monkeypatch.setattr(selectors, "changes_after", read)

    return arrange


@pytest.mark.parametrize("kind", ["room", "inbox"])
@pytest.mark.parametrize("how", ["left", "taken out", "signed out"])
async def test_a_replay_ends_with_the_right_to_it(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    stranger: Any,
    staff: Any,
    between_pages: Callable[[Callable[[], Any]], None],
    kind: str,
    how: str,
) -> None:
    await in_database(add, stranger, conversation, by=staff)
    await in_database(store, buyer, conversation, *[f"number {number}" for number in range(5)])
    sol = await (sockets.room(seller, conversation.pk) if kind == "room" else sockets.inbox(seller))

    def go() -> None:
        if how == "left":
            leave(seller, conversation)
        elif how == "taken out":
            remove(seller, conversation, by=staff)
        else:
            sockets.client(seller).logout()
        store(buyer, conversation, SECRET)

    between_pages(go)
    await sol.send(type="resume", after=0, conversation=str(conversation.pk))
    shown = [(await sol.expect("chat_message"))["message"] for _ in range(3)]
    assert shown == ["Is it still there?", "number 0", "number 1"]
    if how == "signed out":
        if kind == "inbox":
            assert (await sol.expect("error"))["code"] == "unauthenticated"
        assert await sol.close_code() == 4501
    elif kind == "room":
        assert await sol.close_code() == 4503
    else:
        types = {(await sol.receive())["type"] for _ in range(2)}
        assert types == {"error", "removed"}
        assert await sol.has_heard_all()


async def test_a_replay_goes_on_beside_others_who_leave(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    stranger: Any,
    staff: Any,
    between_pages: Callable[[Callable[[], Any]], None],
) -> None:
    await in_database(add, stranger, conversation, by=staff)
    await in_database(store, buyer, conversation, *[f"number {number}" for number in range(5)])
    sol = await sockets.inbox(seller)
    between_pages(lambda: leave(stranger, conversation))
    await sol.send(type="resume", after=0, conversation=str(conversation.pk))
    frames = [frame for frame in await sol.until("ready") if frame["type"] == "chat_message"]
    assert [frame["sequence"] for frame in frames] == [1, 2, 3, 4, 5, 6]


# --- Blocks ---------------------------------------------------------------------------------------


async def test_a_lost_block_is_found_by_the_heartbeat(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sol, ana = [await sockets.room(user, conversation.pk) for user in (seller, buyer)]
    assert (await sol.until("presence"))[-1]["online"]
    monkeypatch.setattr(services, "publish_on_commit", lambda events: None)
    await in_database(block_person, user_id=buyer.pk, other_id=seller.pk)
    for frames, other in zip(await beat(sol, ana), (buyer, seller), strict=True):
        gone = {"type": "presence", "user": other.pk, "online": False, "last_seen": None}
        assert gone in frames
    watched = [group for group in current_hub()._groups if group.startswith("presence.")]
    assert watched == []
    await sockets.inbox(buyer)
    assert [frame["type"] for frame in (await beat(sol))[0]] == ["heartbeat"]
    await in_database(unblock_person, user_id=buyer.pk, other_id=seller.pk)
    assert [frame["online"] for frame in (await beat(sol))[0] if frame["type"] == "presence"] == [
        True
    ]


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Which rooms were read, in the order of it."""
    seen: list[Any] = []
    enter_rooms = entering.enter_rooms

    def note(asked: Any) -> Any:
        seen.extend(conversation_id for _, conversation_id in asked)
        return enter_rooms(asked)

    monkeypatch.setattr(entering, "enter_rooms", note)
    return seen


async def test_a_block_costs_other_conversations_nothing(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    stranger: Any,
    looked_at: list[Any],
) -> None:
    listing = await in_database(make_listing, seller, "Another thing")
    other = await in_database(ask, listing, stranger)
    near = [await sockets.room(seller, conversation.pk) for _ in range(2)]
    far = [await sockets.room(seller, other.pk) for _ in range(2)]
    looked_at.clear()
    await in_database(block_person, user_id=buyer.pk, other_id=seller.pk)
    for socket in near + far:
        await socket.send(type="ping")
        await socket.until("pong")
    assert looked_at == [conversation.pk] * 2


async def test_a_failing_database_costs_no_connection(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    stranger: Any,
    staff: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room, inbox = await sockets.room(seller, conversation.pk), await sockets.inbox(seller)

    def fail(*arguments: Any) -> None:
        raise OperationalError("gone for a moment")

    with monkeypatch.context() as away:
        away.setattr(entering, "enter_rooms", fail)
        await in_database(block_person, user_id=buyer.pk, other_id=seller.pk)
        await in_database(add, stranger, conversation, by=staff)
        assert await room.has_heard_all()
        assert await inbox.has_heard_all()
    (frames,) = await beat(room)
    (news,) = [frame for frame in frames if frame["type"] == "participants"]
    assert [person["username"] for person in news["participants"]] == ["Ana", "Sol", "Teo"]
    (connection,) = [
        one for one in current_heartbeat().connections if one.conversation_id is not None
    ]
    assert connection.other_ids == [stranger.pk]
