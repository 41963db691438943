"""A session that ends takes its sockets with it, at once, and nothing is written in it after that.

The heartbeat, which would find it too, does not beat here.
"""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model, update_session_auth_hash
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.utils import timezone

from messaging import receivers, session_watch
from messaging.exceptions import Unauthenticated
from messaging.heartbeat import current_heartbeat
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.selectors import connections as selectors
from messaging.selectors import entering
from messaging.services.reading import mark_read
from messaging.services.sessions import check_sessions
from messaging.sessions import SessionStamp
from messaging.tests.crowd import place_of
from messaging.tests.sockets import Socket, Sockets
from tests.cast import make_person


@pytest.fixture(autouse=True)
def idle_heartbeat(settings: Any) -> None:
    settings.MESSAGING_HEARTBEAT_SECONDS = 60


@pytest.fixture
def late_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket stays open, as if the hint were still on its way."""
    monkeypatch.setattr(session_watch, "GATHER_SECONDS", 60)


async def inbox_of(sockets: Sockets, client: Client) -> Socket:
    """Over the session of a client and not the person's usual one."""
    cookie = f"sessionid={client.cookies['sessionid'].value}".encode()
    socket = await sockets.make(None, "/ws/inbox/", more=[(b"cookie", cookie)])
    assert await socket.open()
    await socket.expect("ready")
    return socket


def save_person(user: Any, **fields: Any) -> None:
    person = get_user_model()._default_manager.get(pk=user.pk)
    for name, value in fields.items():
        setattr(person, name, value)
    person.save()


def change_password(user: Any) -> None:
    person: Any = get_user_model()._default_manager.get(pk=user.pk)
    person.set_password("another long password")
    person.save()


def revoke(user: Any) -> None:
    """As allauth's session list ends a session: its row goes, without a word."""
    for session in Session.objects.all():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()


def switch_off_in_bulk(user: Any) -> None:
    get_user_model()._default_manager.filter(pk=user.pk).update(is_active=False)
    check_sessions(user_ids=[user.pk])


WAYS = {
    "signed out": lambda sockets, user: sockets.client(user).logout(),
    "new password": lambda sockets, user: change_password(user),
    "switched off": lambda sockets, user: save_person(user, is_active=False),
    "switched off in bulk": lambda sockets, user: switch_off_in_bulk(user),
    "revoked": lambda sockets, user: revoke(user),
    "all sessions deleted at once": lambda sockets, user: Session.objects.all().delete(),
    "account deleted": lambda sockets, user: user.delete(),
}
each_way = pytest.mark.parametrize("how", [how for how in WAYS if how != "account deleted"])


# --- Closing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [how for how in WAYS if how != "all sessions deleted at once"])
async def test_its_sockets_close_at_once_and_no_others(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, how: str
) -> None:
    room, inbox = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)
    sol, sols_inbox = await sockets.room(seller, conversation.pk), await sockets.inbox(seller)
    async with asyncio.timeout(2):
        await in_database(WAYS[how], sockets, buyer)
        assert await room.close_code() == 4501
        assert await inbox.close_code() == 4501
    assert await sol.has_heard_all()
    assert await sols_inbox.has_heard_all()


async def test_everybodys_sessions_deleted_at_once(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana, sol = await sockets.inbox(buyer), await sockets.room(seller, conversation.pk)
    await in_database(WAYS["all sessions deleted at once"], sockets, buyer)
    assert await ana.close_code() == 4501
    assert await sol.close_code() == 4501


async def test_logging_out_ends_that_session_and_not_the_others(
    sockets: Sockets, buyer: Any, client_of: Any
) -> None:
    phone_client = await in_database(client_of, buyer)
    phone, laptop = await inbox_of(sockets, phone_client), await sockets.inbox(buyer)
    await in_database(phone_client.post, "/accounts/logout/")
    assert await phone.close_code() == 4501
    assert await laptop.has_heard_all()


async def test_a_new_password_ends_the_others_and_keeps_this_one(
    sockets: Sockets, buyer: Any, client_of: Any
) -> None:
    """This one's key changes with it, so that its sockets are closed too; and come back."""
    here, elsewhere = await in_database(client_of, buyer), await in_database(client_of, buyer)
    page, phone = await inbox_of(sockets, here), await inbox_of(sockets, elsewhere)
    await in_database(change_password_in, here, buyer)
    assert await phone.close_code() == 4501
    assert await page.close_code() == 4501
    assert (await in_database(here.get, "/conversations/")).status_code == 200
    assert (await in_database(elsewhere.get, "/conversations/")).status_code == 302
    assert await (await inbox_of(sockets, here)).has_heard_all()
    cookie = f"sessionid={elsewhere.cookies['sessionid'].value}".encode()
    assert await sockets.refuses(None, "/ws/inbox/", more=[(b"cookie", cookie)])


def change_password_in(client: Client, user: Any) -> None:
    """As Django's and allauth's pages do."""
    request = RequestFactory().get("/")
    request.session = client.session
    request.user = get_user_model()._default_manager.get(pk=user.pk)
    request.user.set_password("another long password")
    request.user.save()
    update_session_auth_hash(request, request.user)
    request.session.save()
    client.cookies["sessionid"] = str(request.session.session_key)


async def test_what_ends_nobodys_session_closes_nothing(
    sockets: Sockets, buyer: Any, client_of: Any
) -> None:
    ana = await sockets.inbox(buyer)
    await in_database(client_of, buyer)  # Another log-in.
    await in_database(save_person, buyer, locale="es")
    await in_database(check_sessions, user_ids=[buyer.pk])
    await asyncio.sleep(0)  # The hint is on its way into the loop.
    while (task := session_watch.current_session_watch()._checking) and not task.done():
        await asyncio.wait([task])
    assert await ana.has_heard_all()


async def test_a_slow_client_is_not_waited_for(
    sockets: Sockets, conversation: Conversation, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    [connection] = await connections_of(buyer)

    taken = asyncio.Event()
    monkeypatch.setattr(connection._pace, "room_for_more", taken.wait)
    await ana.send(type="ping")
    await in_database(revoke, buyer)
    assert await ana.close_code() == 4501
    taken.set()


async def connections_of(user: Any) -> list[Any]:
    return [one for one in current_heartbeat().connections if one.person.id == user.pk]


# --- In between -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/ws/inbox/", "room"])
async def test_a_socket_admitted_while_its_session_was_being_ended(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was alive when it was looked up, and the hint came before there was a connection."""
    sol = await sockets.room(seller, conversation.pk)
    admit = entering.admit_people

    def admit_and_end(keys: Any) -> Any:
        people = admit(keys)
        revoke(buyer)
        return people

    monkeypatch.setattr(session_watch, "GATHER_SECONDS", 0)
    await sockets.session_key(buyer)
    monkeypatch.setattr(entering, "admit_people", admit_and_end)
    ana = await sockets.make(buyer, path if path != "room" else f"/ws/room/{conversation.pk}/")
    assert await ana.open()
    assert await ana.close_code() == 4501
    assert await sol.has_heard_all()


async def test_one_look_serves_many_hints(
    sockets: Sockets, buyer: Any, seller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[set[Any]] = []
    read_standing = selectors.read_standing

    def note(people: Any) -> Any:
        looks.append({user_id for user_id, _ in people})
        return read_standing(people)

    ana, sol = await sockets.inbox(buyer), await sockets.inbox(seller)
    monkeypatch.setattr(selectors, "read_standing", note)
    for _ in range(20):
        await in_database(check_sessions, user_ids=[buyer.pk, seller.pk])
    await in_database(revoke, buyer)
    assert await ana.close_code() == 4501
    assert await sol.has_heard_all()
    assert looks[0] == {buyer.pk, seller.pk}
    assert len(looks) <= 2


# --- Nothing is written ---------------------------------------------------------------------------


@pytest.mark.usefixtures("late_look")
@each_way
@pytest.mark.parametrize(
    "frame",
    [
        {"type": "chat_message", "message": "After"},
        {"type": "read", "sequence": 1},
        {"type": "typing"},
        {"type": "resume", "after": 0},
    ],
    ids=lambda frame: str(frame["type"]),
)
async def test_no_frame_does_anything_after_the_end(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    how: str,
    frame: dict[str, Any],
) -> None:
    sol, ana = await sockets.room(seller, conversation.pk), await sockets.inbox(buyer)
    key = {"conversation": str(conversation.pk)}
    await sol.send(type="read", sequence=1)
    await ana.expect("read")
    await in_database(WAYS[how], sockets, buyer)
    await ana.send(**{**key, **frame})
    frames = await frames_until_close(ana)
    assert [one.get("code") for one in frames] == ["unauthenticated"][: len(frames)]
    if how != "all sessions deleted at once":
        assert await sol.has_heard_all()
    assert await Message.objects.filter(conversation=conversation).acount() == 1
    places = conversation.participants.filter(role="buyer")
    assert [place.read_sequence async for place in places] == [0]


async def frames_until_close(socket: Socket) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    while True:
        output = await socket.communicator.receive_output(timeout=5)
        if output["type"] == "websocket.close":
            assert output["code"] == 4501
            return frames
        frame = json.loads(output["text"])
        if frame["type"] not in ("presence", "heartbeat"):
            frames.append(frame)


@pytest.mark.django_db
def test_reading_asks_for_the_session_in_its_own_transaction(
    conversation: Conversation, seller: Any, client_of: Any, django_assert_num_queries: Any
) -> None:
    key = client_of(seller).cookies["sessionid"].value
    (person,) = entering.admit_people([key])
    assert isinstance(person, selectors.Person)
    move = {"user_id": seller.pk, "conversation_id": conversation.pk, "sequence": 1}
    for stamp in (SessionStamp("gone", ""), SessionStamp(key, "another password")):
        with pytest.raises(Unauthenticated):
            mark_read(**move, session=stamp)
    assert place_of(seller, conversation).read_sequence == 0
    assert mark_read(**move, session=person.stamp) == 1


# --- What Django tells ----------------------------------------------------------------------------


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Whose sessions were to be looked at."""
    people: list[Any] = []
    monkeypatch.setattr(receivers, "check_sessions", lambda *, user_ids: people.extend(user_ids))
    return people


def test_a_log_in_and_a_new_account_are_no_reason_to_look(
    buyer: Any, client_of: Any, checked: list[Any]
) -> None:
    buyer.last_login = timezone.now()
    buyer.save(update_fields=["last_login"])
    checked.clear()
    make_person(f"New{uuid4().hex[:6]}")
    Client().get("/accounts/login/")
    assert checked == []
    buyer.save(update_fields=["password", "last_login"])
    assert checked == [buyer.pk]


def test_clearing_expired_sessions_tells_nobody(
    buyer: Any, seller: Any, client_of: Any, checked: list[Any]
) -> None:
    client_of(buyer)
    checked.clear()
    Session.objects.update(expire_date=timezone.now())
    live = client_of(seller)
    checked.clear()
    Session.objects.filter(expire_date__lte=timezone.now()).delete()
    assert checked == []
    live.logout()
    assert set(checked) == {seller.pk}


def test_a_session_of_nobody_tells_nothing(client: Client, db: None, checked: list[Any]) -> None:
    session = client.session
    session["colour"] = "blue"
    session.save()
    Session.objects.filter(session_key=session.session_key).delete()
    assert checked == []
