"""How a session begins, how long it lasts, and that it stays one person's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tests.signing_in import LOG_IN, is_signed_in
from marketplace.sessions import KEY, LONGEST, SessionStore
from messaging.models import Conversation
from messaging.runtime import in_database
from messaging.tests.sockets import Sockets
from tests.cast import PASSWORD

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def sign_in(client: Client, user: User) -> str:
    """With “remember me”. The session's key."""
    fields = {"login": user.email, "password": PASSWORD, "remember": "on"}
    assert client.post(LOG_IN, fields).status_code == 302
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


@pytest.mark.django_db
def test_signing_in_takes_a_new_key(client: Client, buyer: User, listing: Any) -> None:
    """Who has put a session into somebody's browser has nothing of the one they sign in to."""
    client.post(f"/listings/{listing.slug}/conversation/", {"message": "Hello"})
    before = str(client.cookies[settings.SESSION_COOKIE_NAME].value)
    after = sign_in(client, buyer)
    assert before != after
    assert KEY.fullmatch(after)  # 32 of 36 signs: 165 bits.
    fixed = Client()
    fixed.cookies[settings.SESSION_COOKIE_NAME] = before
    assert not is_signed_in(fixed)
    assert not Session.objects.filter(pk=before).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["a" * 32, "x", "", "\x00", "../../etc", "A" * 32, "a" * 5000])
def test_a_key_that_somebody_made_up_opens_nothing_and_is_not_taken(
    key: str, client: Client, buyer: User
) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert not is_signed_in(client)
    assert sign_in(client, buyer) != key


@pytest.mark.django_db
def test_two_weeks_without_a_visit_end_it(client: Client, buyer: User) -> None:
    with time_machine.travel(START, tick=False) as clock:
        sign_in(client, buyer)
        clock.shift(timedelta(days=13, hours=23))
        assert is_signed_in(client)
        clock.shift(timedelta(hours=2))
        assert not is_signed_in(client)


@pytest.mark.django_db
def test_thirty_days_end_it_however_often_it_is_used(
    client: Client, buyer: User, stranger: User
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        key = sign_in(client, buyer)
        for _ in range(5):  # Each change would give it two more weeks.
            clock.shift(timedelta(days=5, hours=23))
            session = client.session
            session["colour"] = "blue"
            session.save()
            assert is_signed_in(client)
        assert Session.objects.get(pk=key).expire_date <= START + LONGEST
        clock.shift(timedelta(hours=6))
        assert not is_signed_in(client)
        assert sign_in(client, buyer) != key  # And the days begin anew.
        clock.shift(timedelta(days=10))
        assert is_signed_in(client)


async def test_so_they_do_where_it_is_used_by_code_that_does_not_block(
    transactional_db: None,
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        session = SessionStore()
        await session.acreate()
        for _ in range(3):
            clock.shift(timedelta(days=10))
            await session.aset("colour", "blue")
            await session.asave()
        row = await Session.objects.aget(pk=session.session_key)
        assert row.expire_date == START + LONGEST
        await session.acycle_key()
        row = await Session.objects.aget(pk=session.session_key)
        assert row.expire_date > START + LONGEST


async def test_the_sockets_of_a_session_end_with_its_days(
    sockets: Sockets, conversation: Conversation, buyer: User, seller: User, settings: Any
) -> None:
    settings.MESSAGING_HEARTBEAT_SECONDS = 0.2
    ana, sol = await sockets.room(buyer, conversation.pk), await sockets.inbox(seller)
    key = await sockets.session_key(buyer)
    over = timezone.now() - timedelta(seconds=1)
    await Session.objects.filter(pk=key).aupdate(expire_date=over)
    assert await ana.close_code() == 4501
    assert await sol.has_heard_all()


async def test_each_socket_says_whose_it_is(
    sockets: Sockets, conversation: Conversation, buyer: User, seller: User
) -> None:
    """Opened in turns, and each has only its own session."""
    for _ in range(5):
        for user in (buyer, seller):
            socket = await sockets.open(user, f"/ws/room/{conversation.pk}/")
            assert (await socket.expect("ready"))["user"] == user.pk


async def test_a_cookie_twice_is_none(sockets: Sockets, buyer: User, seller: User) -> None:
    """Which of two would count is for nobody to choose."""
    keys = [await sockets.session_key(user) for user in (buyer, seller)]
    twice = [(b"cookie", f"sessionid={key}".encode()) for key in keys]
    assert await sockets.refuses(None, "/ws/inbox/", more=twice)
    assert not await sockets.refuses(None, "/ws/inbox/", more=twice[:1])


@pytest.mark.django_db
def test_a_bearer_and_a_query_open_nothing(buyer: User, client: Client, client_of: Any) -> None:
    """The cookie is the only way in: no header and no address carries a session."""
    key = client_of(buyer).cookies["sessionid"].value
    paths = ["/conversations/", f"/conversations/?sessionid={key}", f"/conversations/?token={key}"]
    for path in paths:
        answer = client.get(path, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 302
    client.cookies["sessionid"] = key
    assert client.get("/conversations/").status_code == 200


async def test_a_socket_takes_no_session_from_its_address(sockets: Sockets, buyer: User) -> None:
    key = await in_database(lambda: sockets.client(buyer).cookies["sessionid"].value)
    for query in (f"?sessionid={key}", f"?token={key}", f"?user={buyer.pk}"):
        assert await sockets.refuses(None, f"/ws/inbox/{query}")
