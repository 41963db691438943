"""Who may open a socket. Every refusal is the same, and each has a twin that is let in."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from messaging.models import Conversation, Participant
from messaging.runtime import in_database
from messaging.tests.sockets import ORIGIN, Sockets

FOREIGN_ORIGINS = [
    None,
    "",
    "null",
    "https://localhost",
    "http://localhost:8443",
    "http://localhost:80",
    "http://localhost:port",
    "http://localhost.evil.example",
    "http://evil-localhost",
    "http://evil.example/http://localhost",
    "http://ana@localhost",
    "http://localhost/",
    "http://localhost, http://localhost",
    "localhost",
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
async def test_a_foreign_origin_is_refused(
    sockets: Sockets, buyer: Any, origin: str | None
) -> None:
    assert await sockets.refuses(buyer, "/ws/inbox/", origin=origin)
    assert not await sockets.refuses(buyer, "/ws/inbox/", origin=ORIGIN)


async def test_a_doubled_origin_is_refused(sockets: Sockets, buyer: Any) -> None:
    own = (b"origin", ORIGIN.encode())
    assert await sockets.refuses(buyer, "/ws/inbox/", more=[own])
    assert await sockets.refuses(buyer, "/ws/inbox/", more=[(b"origin", b"http://evil.example")])
    assert not await sockets.refuses(buyer, "/ws/inbox/", origin=None, more=[own])


async def test_an_origin_is_compared_as_browsers_write_it(sockets: Sockets, buyer: Any) -> None:
    assert not await sockets.refuses(buyer, "/ws/inbox/", origin="HTTP://LocalHost")
    assert not await sockets.refuses(buyer, "/ws/inbox/", origin="http://testserver")


async def test_a_foreign_origin_is_refused_at_a_room_too(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    path = f"/ws/room/{conversation.pk}/"
    assert await sockets.refuses(buyer, path, origin="http://evil.example")
    assert not await sockets.refuses(buyer, path)


async def test_only_participants_enter_a_room(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any
) -> None:
    path = f"/ws/room/{conversation.pk}/"
    assert await sockets.refuses(stranger, path)
    assert await sockets.refuses(staff, path)
    assert await sockets.refuses(None, path)
    assert not await sockets.refuses(buyer, path)
    assert not await sockets.refuses(seller, path)


async def test_an_inbox_asks_for_a_session(sockets: Sockets, buyer: Any) -> None:
    assert await sockets.refuses(None, "/ws/inbox/")
    for cookie in (b"sessionid=", b"sessionid=unknown0unknown0unknown0", b"csrftoken=x", b";;="):
        assert await sockets.refuses(None, "/ws/inbox/", more=[(b"cookie", cookie)])
    assert not await sockets.refuses(buyer, "/ws/inbox/")


async def test_a_room_that_is_not_there_looks_like_a_strangers(
    sockets: Sockets, conversation: Conversation, buyer: Any, stranger: Any
) -> None:
    missing = await sockets.knock(buyer, f"/ws/room/{uuid4()}/")
    foreign = await sockets.knock(stranger, f"/ws/room/{conversation.pk}/")
    assert missing == foreign == {"type": "websocket.close"}


@pytest.mark.parametrize(
    "path",
    [
        "/ws/",
        "/ws/room/",
        "/ws/room/{id}",
        "/ws/room/{id}/more/",
        "/ws/room/{{{id}}}/",
        "/ws/room/urn:uuid:{id}/",
        "/ws/room/{id}%00/",
        "/ws/room/1/",
        "/ws/room/not-a-conversation/",
        "/ws/room/..%2f..%2f/",
        "/ws/room/" + "9" * 5_000 + "/",
        "/ws/inbox",
        "/ws/inbox/{id}/",
        "/ws/other/",
        "/ws/room/{id}/../../inbox/",
    ],
)
async def test_an_unknown_path_is_refused(
    sockets: Sockets, conversation: Conversation, buyer: Any, path: str
) -> None:
    assert await sockets.refuses(buyer, path.format(id=conversation.pk))
    assert not await sockets.refuses(buyer, f"/ws/room/{conversation.pk}/")


async def test_a_session_that_has_ended_is_refused(sockets: Sockets, buyer: Any) -> None:
    assert not await sockets.refuses(buyer, "/ws/inbox/")
    key = await sockets.session_key(buyer)
    cookie = [(b"cookie", f"sessionid={key}".encode())]
    assert not await sockets.refuses(None, "/ws/inbox/", more=cookie)
    past = timezone.now() - timedelta(seconds=1)
    await Session.objects.filter(session_key=key).aupdate(expire_date=past)
    assert await sockets.refuses(None, "/ws/inbox/", more=cookie)


async def test_a_session_from_before_a_new_password_is_refused(
    sockets: Sockets, buyer: Any
) -> None:
    assert not await sockets.refuses(buyer, "/ws/inbox/")
    buyer.set_password("another long password")
    await in_database(buyer.save)
    assert await sockets.refuses(buyer, "/ws/inbox/")


async def test_an_account_that_was_switched_off_is_refused(sockets: Sockets, buyer: Any) -> None:
    assert not await sockets.refuses(buyer, "/ws/inbox/")
    buyer.is_active = False
    await in_database(buyer.save)
    assert await sockets.refuses(buyer, "/ws/inbox/")


async def test_who_left_a_conversation_is_refused(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    path = f"/ws/room/{conversation.pk}/"
    assert not await sockets.refuses(buyer, path)
    place = Participant.objects.filter(conversation=conversation, user=buyer)
    await place.aupdate(left_at=timezone.now())
    assert await sockets.refuses(buyer, path)


async def test_a_handshake_that_fails_inside_is_refused_and_leaves_nothing(
    sockets: Sockets, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(keys: Any) -> None:
        raise RuntimeError("the database is away")

    monkeypatch.setattr("messaging.selectors.entering.admit_people", fail)
    answer = await sockets.knock(buyer, "/ws/inbox/")
    assert answer["type"] == "websocket.close"
