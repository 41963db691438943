"""Sockets that come, go or are refused have one record each, with who and from where."""

import logging
from typing import Any

import pytest
from pytest_django import Settings

from messaging import rate_limits
from messaging.models import Conversation
from messaging.tests.sockets import ORIGIN, Sockets

CANARY = "purple-canary-in-the-mine"


@pytest.fixture(autouse=True)
def everything_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def records(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    return [
        getattr(record, "details", {})
        for record in caplog.records
        if record.name == "messaging.access" and record.getMessage() == message
    ]


async def test_a_socket_that_opens_and_closes(
    sockets: Sockets, conversation: Conversation, buyer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    room = await sockets.room(buyer, conversation.pk)
    await room.send(message=CANARY)
    await room.expect("ack")
    await room.close()
    (opened,) = records(caplog, "socket opened")
    (closed,) = records(caplog, "socket closed")
    assert opened["user"] == closed["user"] == buyer.pk
    assert opened["origin"] == closed["origin"] == ORIGIN
    assert opened["path"] == f"/ws/room/{conversation.pk}/"
    assert opened["connection_id"] == closed["connection_id"]
    assert closed["code"] == 1000
    assert CANARY not in caplog.text
    key = await sockets.session_key(buyer)
    assert key not in caplog.text


async def test_a_close_code_of_ours_is_told(
    sockets: Sockets, conversation: Conversation, buyer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    room = await sockets.room(buyer, conversation.pk)
    await room.send_bytes(b"binary")
    assert await room.close_code() == 4400
    await room.close()
    (closed,) = records(caplog, "socket closed")
    assert closed["code"] == 4400


@pytest.mark.parametrize("origin", [ORIGIN, "https://evil.example"])
async def test_a_refused_handshake(
    sockets: Sockets,
    conversation: Conversation,
    stranger: Any,
    origin: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await sockets.refuses(stranger, f"/ws/room/{conversation.pk}/?after=1", origin)
    (refused,) = records(caplog, "socket refused")
    assert refused == {"path": f"/ws/room/{conversation.pk}/", "origin": origin}


async def test_a_limit_that_was_hit(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.MESSAGING_SEND_LIMITS = [(1, 60.0)]
    rate_limits.forget_all()
    room = await sockets.room(buyer, conversation.pk)
    for _ in range(2):
        await room.send(message=CANARY)
    await room.expect("ack")
    await room.expect("error")
    rate_limits.forget_all()
    (refused,) = records(caplog, "refused")
    assert (refused["code"], refused["user"]) == ("rate_limited", buyer.pk)
    assert CANARY not in caplog.text


async def test_a_typing_mistake_is_no_record(
    sockets: Sockets, conversation: Conversation, buyer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    room = await sockets.room(buyer, conversation.pk)
    await room.send(message="")
    await room.expect("error")
    assert not records(caplog, "refused")
