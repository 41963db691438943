"""What sockets hear when somebody leaves, is put in or is taken out."""

from typing import Any

import pytest

from messaging import attendance
from messaging.heartbeat import current_heartbeat
from messaging.hub import current_hub
from messaging.models import Conversation, Participant
from messaging.runtime import in_database
from messaging.selectors import entering
from messaging.services import participants as services
from messaging.tests.conversing import say
from messaging.tests.crowd import ask, make_listing
from messaging.tests.sockets import Sockets
from messaging.tests.test_participants import add, leave, remove


@pytest.fixture(autouse=True)
def idle_heartbeat(settings: Any) -> None:
    settings.MESSAGING_HEARTBEAT_SECONDS = 60


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the layer should have carried."""
    monkeypatch.setattr(services, "publish_on_commit", lambda events: None)


def names(frame: dict[str, Any]) -> list[str]:
    return [person["username"] for person in frame["participants"]]


@pytest.mark.parametrize("how", ["left", "taken out"])
async def test_rooms_of_who_is_gone_close_and_inboxes_stay(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, staff: Any, how: str
) -> None:
    room, inbox = await sockets.room(seller, conversation.pk), await sockets.inbox(seller)
    ana, anas_inbox = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)
    if how == "left":
        await in_database(leave, seller, conversation)
    else:
        await in_database(remove, seller, conversation, by=staff)
    assert await room.close_code() == 4503
    assert await inbox.expect("removed") == {
        "type": "removed",
        "conversation": str(conversation.pk),
    }
    frame = await ana.expect("participants")
    assert set(frame) == {"type", "conversation", "participants"}
    assert (frame["conversation"], names(frame)) == (str(conversation.pk), ["Ana"])
    assert names(await anas_inbox.expect("participants")) == ["Ana"]
    # Nothing that happens there is heard any more; a frame for it is refused like a stranger's.
    await ana.send(type="read", sequence=1)
    await anas_inbox.expect("read")
    assert await inbox.has_heard_all()
    for frame in ({"message": "Me again"}, {"type": "read", "sequence": 1}, {"type": "typing"}):
        await inbox.send(conversation=str(conversation.pk), **frame)
        assert (await inbox.expect("error"))["code"] == "not_found"
    assert await sockets.refuses(seller, f"/ws/room/{conversation.pk}/")
    assert await ana.has_heard_all()


async def test_other_conversations_of_who_is_gone_go_on(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    other = await in_database(lambda: _second_conversation(buyer, seller))
    room = await sockets.room(seller, other.pk)
    inbox = await sockets.inbox(seller)
    await in_database(leave, seller, conversation)
    await inbox.expect("removed")
    await in_database(say, buyer, other, "And this one?")
    assert (await room.expect("chat_message"))["message"] == "And this one?"
    assert (await inbox.expect("chat_message"))["conversation"] == str(other.pk)


def _second_conversation(buyer: Any, seller: Any) -> Conversation:
    return ask(make_listing(seller, "Brass lamp"), buyer)


async def test_a_newcomer_is_announced_and_hears_everything(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any
) -> None:
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    teo = await sockets.inbox(stranger)
    await in_database(add, stranger, conversation, by=staff)
    for socket in (ana, sol, teo):
        frame = await socket.expect("participants")
        assert names(frame) == ["Ana", "Sol", "Teo"]
        assert frame["participants"][2]["role"] == "seller"
    room = await sockets.room(stranger, conversation.pk)
    await ana.send(message="Hello, both of you")
    for socket in (sol, room, teo):
        assert (await socket.expect("chat_message"))["message"] == "Hello, both of you"
    await ana.expect("ack")
    await room.send(message="Hello")
    for socket in (ana, sol):
        assert (await socket.expect("chat_message"))["username"] == "Teo"
    await room.send(type="read", sequence=3)
    for socket in (ana, sol):
        assert (await socket.expect("read"))["user"] == stranger.pk
    await room.send(type="typing")
    assert (await ana.expect("typing"))["user"] == stranger.pk


async def test_presence_of_a_newcomer_is_watched_and_of_who_left_no_longer(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    stranger: Any,
    staff: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attendance, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(attendance, "ANSWER_SECONDS", 0.05)
    ana = await sockets.room(buyer, conversation.pk)
    await in_database(add, stranger, conversation, by=staff)
    await ana.expect("participants")
    teo = await sockets.inbox(stranger)
    frame = (await ana.until("presence"))[-1]
    assert (frame["user"], frame["online"]) == (stranger.pk, True)
    await in_database(remove, stranger, conversation, by=staff)
    await ana.expect("participants")
    [connection] = [one for one in current_heartbeat().connections if one.person.id == buyer.pk]
    assert not current_hub().members(f"presence.{stranger.pk}")
    assert stranger.pk not in connection.other_ids
    await teo.close()
    await ana.close()
    assert not [group for group in current_hub()._groups if group.startswith("presence.")]


@pytest.mark.usefixtures("lost")
async def test_what_the_layer_lost_a_heartbeat_brings(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any
) -> None:
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    inbox = await sockets.open(seller, "/ws/inbox/")
    cursor = (await inbox.expect("ready"))["cursor"]
    await in_database(add, stranger, conversation, by=staff)
    current_heartbeat()._soon.set()
    for socket in (ana, sol):
        assert names((await socket.until("participants"))[-1]) == ["Ana", "Sol", "Teo"]
    await inbox.expect("heartbeat")
    await in_database(leave, seller, conversation)
    current_heartbeat()._soon.set()
    assert await sol.close_code() == 4503
    assert names((await ana.until("participants"))[-1]) == ["Ana", "Teo"]
    assert (await inbox.expect("heartbeat"))["cursor"] != cursor


async def test_the_same_news_twice_is_told_once(
    sockets: Sockets, conversation: Conversation, buyer: Any, stranger: Any, staff: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await in_database(add, stranger, conversation, by=staff)
    await ana.expect("participants")
    current_heartbeat()._soon.set()
    assert [frame["type"] for frame in await ana.until("heartbeat")] == ["heartbeat"]


async def test_a_room_admitted_while_its_person_was_being_taken_out(
    sockets: Sockets,
    conversation: Conversation,
    seller: Any,
    staff: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admit = entering.admit_to_rooms

    def admit_and_remove(asked: Any) -> Any:
        admitted = admit(asked)
        remove(seller, conversation, by=staff)
        return admitted

    monkeypatch.setattr(entering, "admit_to_rooms", admit_and_remove)
    sol = await sockets.open(seller, f"/ws/room/{conversation.pk}/")
    assert await sol.close_code() == 4503


async def test_the_oldest_client_goes_on_beside_a_newcomer(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any
) -> None:
    """It shows what is a `chat_message` and passes over every other type."""
    old = await sockets.room(buyer, conversation.pk)
    await in_database(add, stranger, conversation, by=staff)
    await in_database(say, stranger, conversation, "I can help")
    shown = [
        (frame["username"], frame["message"])
        for frame in await old.until("chat_message")
        if frame["type"] == "chat_message"
    ]
    assert shown == [("Teo", "I can help")]
    assert await Participant.objects.filter(conversation=conversation).acount() == 3
