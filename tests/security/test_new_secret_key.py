"""With another SECRET_KEY, and the one of before among SECRET_KEY_FALLBACKS, everybody stays signed
in; and whoever is signed out is, whichever key their session is of.

Django would give such a session another key at its next page. A handshake could not tell the
browser, nor could a sign-in elsewhere; and other requests may be on their way with the key.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.tests.signing_in import is_signed_in, open_browser
from messaging import sessions
from messaging.heartbeat import current_heartbeat
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.tests.sockets import Socket, Sockets
from tests.cast import PASSWORD

Rotate = Callable[..., None]


@pytest.fixture
def rotate(settings: Any) -> Iterator[Rotate]:
    """As a restart with another key does it."""
    settings.MESSAGING_HEARTBEAT_SECONDS = 60

    def rotate(*, keeps: bool = True) -> None:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if keeps else []
        settings.SECRET_KEY = "another" * 10
        sessions.auth_hashes_of.cache_clear()

    yield rotate
    sessions.auth_hashes_of.cache_clear()


def key_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def cookie_of(client: Client) -> list[tuple[bytes, bytes]]:
    return [(b"cookie", f"sessionid={key_of(client)}".encode())]


async def open_inbox(sockets: Sockets, client: Client) -> Socket:
    socket = await sockets.make(None, "/ws/inbox/", more=cookie_of(client))
    assert await socket.open()
    await socket.expect("ready")
    return socket


async def page_status(client: Client) -> int:
    return (await in_database(client.get, "/conversations/")).status_code


def change_password(user: Any) -> None:
    person: Any = get_user_model()._default_manager.get(pk=user.pk)
    person.set_password("another long password")
    person.save()


async def test_a_socket_opens_and_leaves_the_session_to_the_page(
    sockets: Sockets, conversation: Conversation, buyer: Any, client_of: Any, rotate: Rotate
) -> None:
    ana = await in_database(client_of, buyer)
    rotate()
    await open_inbox(sockets, ana)
    room = await sockets.make(None, f"/ws/room/{conversation.pk}/", more=cookie_of(ana))
    assert await room.open()
    await room.expect("ready")
    assert await Session.objects.filter(session_key=key_of(ana)).aexists()
    assert await page_status(ana) == 200
    assert await (await open_inbox(sockets, ana)).has_heard_all()


async def test_the_heartbeat_lets_it_be_and_what_it_sends_is_stored(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    client_of: Any,
    rotate: Rotate,
) -> None:
    client = await in_database(client_of, buyer)
    rotate()
    ana, sol = await open_inbox(sockets, client), await sockets.room(seller, conversation.pk)
    await current_heartbeat().check_sessions()
    await ana.send(type="chat_message", message="Still me", conversation=str(conversation.pk))
    await ana.expect("ack")
    assert (await sol.expect("chat_message"))["message"] == "Still me"


@pytest.mark.parametrize("how", ["everywhere else", "new password"])
async def test_who_is_signed_out_is_so_with_a_session_of_the_key_of_before(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    rotate: Rotate,
    how: str,
) -> None:
    here, phone = [await in_database(open_browser, buyer) for _ in range(2)]
    rotate()
    socket = await open_inbox(sockets, phone)
    if how == "everywhere else":
        await in_database(here.post, "/accounts/sessions/end-others/")
        assert await page_status(here) == 200
    else:
        await in_database(change_password, buyer)
    assert await socket.close_code() == 4501
    write = f"/conversation/{conversation.pk}/new_message/"
    answer = await in_database(phone.post, write, {"message": "After"})
    assert answer.headers["Location"].startswith("/accounts/login/")
    assert await Message.objects.filter(conversation=conversation).acount() == 1
    assert await page_status(phone) == 302
    assert await sockets.refuses(None, "/ws/inbox/", more=cookie_of(phone))


async def test_a_key_that_is_not_kept_opens_nothing(
    sockets: Sockets, buyer: Any, client_of: Any, rotate: Rotate
) -> None:
    ana = await in_database(client_of, buyer)
    open_before = await open_inbox(sockets, ana)
    rotate(keeps=False)
    assert await sockets.refuses(None, "/ws/inbox/", more=cookie_of(ana))
    await current_heartbeat().check_sessions()
    assert await open_before.close_code() == 4501


async def test_nor_does_the_password_of_before(
    sockets: Sockets, buyer: Any, client_of: Any, rotate: Rotate
) -> None:
    ana = await in_database(client_of, buyer)
    cookie = cookie_of(ana)
    await in_database(change_password, buyer)
    rotate()
    assert await sockets.refuses(None, "/ws/inbox/", more=cookie)
    assert await page_status(ana) == 302


# --- Its key stays --------------------------------------------------------------------------------


@pytest.fixture
def desk(buyer: Any) -> Client:
    return open_browser(buyer)


def test_signing_in_elsewhere_signs_nobody_out(buyer: Any, desk: Client, rotate: Rotate) -> None:
    rotate()
    assert is_signed_in(open_browser(buyer))  # allauth looks through the others then.
    assert is_signed_in(desk)


def test_what_a_script_has_asked_for_since_is_still_ended_from_elsewhere(
    buyer: Any, desk: Client, rotate: Rotate
) -> None:
    phone = open_browser(buyer)
    rotate()
    assert is_signed_in(desk)
    assert is_signed_in(phone)
    desk.post("/accounts/sessions/end-others/")
    assert is_signed_in(desk)
    assert not is_signed_in(phone)


def test_two_requests_at_once_are_both_answered(desk: Client, rotate: Rotate) -> None:
    twin = Client()
    twin.cookies["sessionid"] = key_of(desk)
    rotate()
    assert is_signed_in(desk)
    assert is_signed_in(twin)


def test_a_new_password_changes_it_all_the_same(buyer: Any, desk: Client, rotate: Rotate) -> None:
    phone, key = open_browser(buyer), key_of(desk)
    rotate()
    new = "quite another phrase 9"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert desk.post("/accounts/password/change/", fields).status_code == 302
    assert key_of(desk) != key
    assert not Session.objects.filter(session_key=key).exists()
    assert is_signed_in(desk)
    assert not is_signed_in(phone)
