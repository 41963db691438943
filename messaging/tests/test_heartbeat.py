"""Whatever the channel layer loses, a heartbeat brings; and it ends what has no right to go on."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from messaging import heartbeat, session_watch
from messaging.attendance import current_attendance
from messaging.heartbeat import current_heartbeat
from messaging.models import Conversation, Participant
from messaging.runtime import in_database
from messaging.selectors import connections as selectors
from messaging.selectors import entering
from messaging.tests.conversing import store
from messaging.tests.crowd import make_conversations
from messaging.tests.sockets import Socket, Sockets


@pytest.fixture(autouse=True)
def short_heartbeat(settings: Any) -> None:
    settings.MESSAGING_HEARTBEAT_SECONDS = 0.1


@pytest.fixture(autouse=True)
def no_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """That a session has ended is told to nobody: as if the layer had lost it."""
    monkeypatch.setattr(session_watch, "GATHER_SECONDS", 60)


@pytest.fixture
def idle_heartbeat(settings: Any) -> None:
    """None comes by itself."""
    settings.MESSAGING_HEARTBEAT_SECONDS = 60


async def test_a_room_beats(sockets: Sockets, conversation: Conversation, buyer: Any) -> None:
    ana = await sockets.open(buyer, f"/ws/room/{conversation.pk}/")
    ready = (await ana.until("ready"))[-1]
    assert ready["heartbeat_seconds"] == 0.1
    beat = await ana.expect("heartbeat")
    assert beat == {"type": "heartbeat", "conversation": str(conversation.pk), "revision": 1}
    assert await ana.expect("heartbeat") == beat


async def test_a_room_gets_messages_and_reads_that_were_lost(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await in_database(store, seller, conversation, "lost", "also lost")
    place = Participant.objects.filter(conversation=conversation, user=seller)
    await place.aupdate(read_sequence=1)
    frames: list[dict[str, Any]] = []
    while "read" not in [frame["type"] for frame in frames]:
        frames.append(await ana.receive())
    messages = [frame["message"] for frame in frames if frame["type"] == "chat_message"]
    assert messages == ["lost", "also lost"]
    assert frames[-1] == {
        "type": "read",
        "conversation": str(conversation.pk),
        "user": seller.pk,
        "sequence": 1,
    }
    assert (await ana.expect("heartbeat"))["revision"] == 3
    assert (await ana.expect("heartbeat"))["revision"] == 3


async def test_ones_own_read_elsewhere_is_brought_too(
    sockets: Sockets, conversation: Conversation, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    place = Participant.objects.filter(conversation=conversation, user=seller)
    await place.aupdate(read_sequence=1)
    assert (await sol.expect("read"))["user"] == seller.pk


async def test_an_inbox_beats_with_a_cursor_that_moves_with_activity(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.open(seller, "/ws/inbox/")
    cursor = (await sol.expect("ready"))["cursor"]
    beat = await sol.expect("heartbeat")
    assert beat == {"type": "heartbeat", "cursor": cursor}
    await in_database(store, buyer, conversation, "lost")
    moved = await sol.expect("heartbeat")
    while moved["cursor"] == cursor:
        moved = await sol.expect("heartbeat")
    assert await sol.expect("heartbeat") == moved


async def test_an_inbox_of_somebody_else_does_not_move(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    teo, sol = await sockets.inbox(stranger), await sockets.inbox(seller)
    before = await teo.expect("heartbeat")
    moving = (await sol.expect("heartbeat"))["cursor"]
    await in_database(store, buyer, conversation, "lost")
    while (await sol.expect("heartbeat"))["cursor"] == moving:
        pass
    await teo.expect("heartbeat")
    assert await teo.expect("heartbeat") == before


@pytest.mark.usefixtures("idle_heartbeat")
async def test_one_query_serves_every_connection(
    sockets: Sockets, seller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of a fixed number, whoever is connected to wherever."""
    conversations = await in_database(make_conversations, seller, 5)
    first = conversations[0]
    opened = [await sockets.room(seller, first.pk), await sockets.inbox(seller)]
    few = await count_statements_of_a_beat(opened, monkeypatch)
    buyers = await in_database(lambda: [row.buyer for row in conversations])
    for conversation, buyer in zip(conversations, buyers, strict=True):
        opened += [await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)]
    assert (current_heartbeat().count, len(opened)) == (12, 12)
    many = await count_statements_of_a_beat(opened, monkeypatch)
    # Heads and read positions, blocks, inboxes, sessions, people.
    assert (len(few), len(many)) == (5, 5), (few, many)


async def count_statements_of_a_beat(
    opened: list[Socket], monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """In whichever thread and over whichever connection."""
    for socket in opened:
        assert await socket.has_heard_all()
    statements: list[str] = []
    execute = CursorWrapper.execute

    def note(cursor: CursorWrapper, sql: str, params: Any = None) -> Any:
        statements.append(sql)
        return execute(cursor, sql, params)

    with monkeypatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", note)
        current_heartbeat()._soon.set()
        for socket in opened:
            await socket.expect("heartbeat")
            assert await socket.has_heard_all()
    return statements


@pytest.mark.django_db
def test_the_checks_are_one_query_each_and_sessions_two(
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    stranger: Any,
    client_of: Any,
    django_assert_num_queries: Any,
) -> None:
    people = []
    for user in (buyer, seller, stranger):
        (person,) = entering.admit_people([client_of(user).cookies["sessionid"].value])
        assert isinstance(person, selectors.Person)
        people.append((person.id, person.stamp))
    with django_assert_num_queries(1):
        states = selectors.read_room_states({conversation.pk})
    assert states[conversation.pk].read_sequences == {buyer.pk: 0, seller.pk: 0}
    with django_assert_num_queries(1):
        inboxes = selectors.read_inboxes([buyer.pk, seller.pk, stranger.pk])
    assert [inboxes[user.pk].unread for user in (buyer, seller, stranger)] == [0, 1, 0]
    with django_assert_num_queries(2):
        assert selectors.read_standing(people).ended == set()


async def test_a_failing_check_stops_neither_the_others_nor_the_next_beat(
    sockets: Sockets, conversation: Conversation, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, inbox = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)

    def fail(*arguments: Any) -> None:
        raise RuntimeError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(selectors, "read_room_states", fail)
        patch.setattr(selectors, "read_standing", fail)
        await inbox.expect("heartbeat")
        await inbox.expect("heartbeat")
    while (await ana.receive())["type"] != "heartbeat":
        pass


# --- Ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["signed out", "new password", "switched off", "expired"])
async def test_a_session_that_ends_closes_its_sockets_and_no_others(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, how: str
) -> None:
    room, inbox = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)
    sol = await sockets.room(seller, conversation.pk)
    await in_database(end_session, sockets, buyer, how)
    assert await room.close_code() == 4501
    assert await inbox.close_code() == 4501
    await sol.expect("heartbeat")
    await sol.expect("heartbeat")


def end_session(sockets: Sockets, user: Any, how: str) -> None:
    client = sockets.client(user)
    if how == "signed out":
        client.logout()
    elif how == "new password":
        user.set_password("another long password")
        user.save()
    elif how == "switched off":
        user.is_active = False
        user.save()
    else:
        key = client.cookies["sessionid"].value
        Session.objects.filter(session_key=key).update(expire_date=timezone.now())


@pytest.mark.usefixtures("idle_heartbeat")
@pytest.mark.parametrize("how", ["signed out", "new password", "switched off", "expired"])
async def test_the_next_message_after_a_session_has_ended_is_refused(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, how: str
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    await ana.send(message="Before")
    await ana.expect("ack")
    await sol.expect("chat_message")
    await in_database(end_session, sockets, buyer, how)
    await ana.send(message="After")
    error = await ana.expect("error")
    assert (error["code"], bool(error["detail"])) == ("unauthenticated", True)
    assert await ana.close_code() == 4501
    assert await sol.has_heard_all()
    assert (await Conversation.objects.aget(pk=conversation.pk)).revision == 2


async def test_one_of_two_sessions_ends(
    sockets: Sockets, conversation: Conversation, buyer: Any, client_of: Any
) -> None:
    other = await in_database(client_of, buyer)
    cookie = f"sessionid={other.cookies['sessionid'].value}".encode()
    phone = await sockets.make(None, "/ws/inbox/", more=[(b"cookie", cookie)])
    assert await phone.open()
    await phone.expect("ready")
    laptop = await sockets.inbox(buyer)
    await in_database(other.logout)
    assert await phone.close_code() == 4501
    await laptop.expect("heartbeat")
    await laptop.expect("heartbeat")


async def test_who_is_no_longer_a_participant_is_closed(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    inbox = await sockets.inbox(buyer)
    place = Participant.objects.filter(conversation=conversation, user=buyer)
    await place.aupdate(left_at=timezone.now())
    assert await ana.close_code() == 4503
    assert len((await sol.expect("participants"))["participants"]) == 1
    await sol.expect("heartbeat")
    await inbox.expect("heartbeat")


async def test_a_conversation_that_is_gone_closes_its_rooms(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await in_database(conversation.delete)
    assert await ana.close_code() == 4503


@pytest.mark.usefixtures("idle_heartbeat")
async def test_resuming_where_one_no_longer_takes_part(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    place = Participant.objects.filter(conversation=conversation, user=buyer)
    await place.aupdate(left_at=timezone.now())
    await ana.send(type="resume", after=0)
    assert await ana.close_code() == 4503


async def test_nothing_beats_for_who_has_gone(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana, inbox = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)
    assert len(current_heartbeat().connections) == 2
    await ana.close()
    await inbox.close()
    assert current_heartbeat().connections == []
    assert current_attendance().people == []
    assert heartbeat.current_heartbeat() is current_heartbeat()
