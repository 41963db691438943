"""How much one person, one connection and one process take."""

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from messaging import rate_limits
from messaging.attendance import current_attendance
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.tests.browsing import post_json, url
from messaging.tests.sockets import Sockets
from messaging.tests.test_socket_retries import post


class Clock:
    now = 5_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limits, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


async def test_ten_messages_in_five_seconds(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, clock: Clock
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    for number in range(10):
        await ana.send(message=f"number {number}")
        await ana.expect("ack")
        clock.now += 0.1
    identifier = str(uuid4())
    await ana.send(message="one too many", client_message_id=identifier)
    error = await ana.expect("error")
    assert (error["code"], error["retry_after"]) == ("rate_limited", 4)
    assert error["client_message_id"] == identifier
    clock.now += error["retry_after"]
    await ana.send(message="one too many", client_message_id=identifier)
    assert not (await ana.expect("ack"))["duplicate"]
    await ana.send(message="again too many")
    assert (await ana.expect("error"))["retry_after"] == 1
    assert await Message.objects.filter(conversation=conversation).acount() == 12


async def test_the_limit_is_a_persons_over_all_doors(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, clock: Clock
) -> None:
    phone, laptop = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)
    sol = await sockets.room(seller, conversation.pk)
    where = str(conversation.pk)
    for _ in range(5):
        await phone.send(message="from the phone")
        await phone.until("ack")
        await laptop.send(message="from the laptop", conversation=where)
        await laptop.until("ack")
    await phone.send(message="one too many")
    assert (await phone.until("error"))[-1]["code"] == "rate_limited"
    body = {"message": "one too many", "client_message_id": str(uuid4())}
    response = await in_database(post, sockets, buyer, conversation, body)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "5")
    await sol.send(message="I may still write")
    assert (await sol.until("ack"))[-1]["sequence"] == 12


async def test_what_is_not_stored_does_not_count(
    sockets: Sockets, conversation: Conversation, buyer: Any, clock: Clock
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    identifier = str(uuid4())
    await ana.send(message="First", client_message_id=identifier)
    await ana.expect("ack")
    for _ in range(12):
        await ana.send(message="First", client_message_id=identifier)
        assert (await ana.expect("ack"))["duplicate"]
        await ana.send(message="Other", client_message_id=identifier)
        assert (await ana.expect("error"))["code"] == "conflict"
        await ana.send(message=" ")
        assert (await ana.expect("error"))["code"] == "empty"
    for number in range(9):
        await ana.send(message=f"number {number}")
        await ana.expect("ack")
    await ana.send(message="one too many")
    assert (await ana.expect("error"))["code"] == "rate_limited"


async def test_off_lifts_the_limits_on_messages_and_frames(
    sockets: Sockets, conversation: Conversation, buyer: Any, settings: Any
) -> None:
    settings.MESSAGING_SEND_LIMITS = []
    ana = await sockets.room(buyer, conversation.pk)
    for _ in range(70):
        await ana.send(message="Again")
    assert [(await ana.expect("ack"))["sequence"] for _ in range(70)] == list(range(2, 72))


def test_sixty_marks_in_ten_seconds_over_http(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any, clock: Clock, settings: Any
) -> None:
    """Read positions and marks together, whether they change anything or not."""
    sol, doors = client_of(seller), ("read/", "archive/", "star/", "mute/")

    def mark(client: Client, number: int) -> Any:
        path = url(conversation, doors[number % 4])
        return post_json(client, path, sequence=1, on=number // 4 % 2)

    assert [mark(sol, number).status_code for number in range(60)] == [200] * 60
    clock.now += 4
    for number in range(4):
        refused = mark(sol, number)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "6")
        assert (refused.json()["code"], refused.json()["retry_after"]) == ("rate_limited", 6)
    page = sol.post(url(conversation, "star/"), {"on": "1"})
    assert (page.status_code, page.headers["Retry-After"]) == (429, "6")
    assert mark(client_of(buyer), 0).status_code == 200
    path = url(conversation, "new_message/")
    assert post_json(sol, path, message="I may still write").status_code == 201
    clock.now += 6
    assert mark(sol, 0).status_code == 200
    settings.MESSAGING_SEND_LIMITS = []
    assert [mark(sol, number).status_code for number in range(70)] == [200] * 70


async def test_who_goes_on_after_sixty_frames_in_ten_seconds(
    sockets: Sockets, conversation: Conversation, buyer: Any, clock: Clock
) -> None:
    """They are not heard until there is room, and closed if they fill that at once again."""
    ana, other = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)
    for _ in range(121):
        await ana.send(type="ping")
    for _ in range(60):
        await ana.expect("pong")
    clock.now += 9.9
    assert await ana.communicator.receive_nothing(timeout=0.3)  # The pause.
    clock.now += 0.1
    assert await ana.close_code() == 4429
    assert await other.has_heard_all()


async def test_who_waits_out_the_pause_goes_on(
    sockets: Sockets, conversation: Conversation, buyer: Any, clock: Clock
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    for _ in range(61):
        await ana.send(type="ping")
    for _ in range(60):
        await ana.expect("pong")
    clock.now += 10
    await ana.expect("pong")
    for _ in range(59):
        await ana.send(type="ping")
        await ana.expect("pong")
    clock.now += 10.1
    await ana.send(type="ping")
    await ana.expect("pong")


async def test_what_waited_while_the_process_stood_still_is_no_flood(
    sockets: Sockets, conversation: Conversation, buyer: Any, clock: Clock
) -> None:
    """5.8 frames a second, of which 14 s come at once."""
    ana = await sockets.room(buyer, conversation.pk)
    await ana.send(type="ping")
    await ana.expect("pong")
    clock.now += 14
    for _ in range(81):
        await ana.send(type="ping")
    for _ in range(60):
        await ana.expect("pong")
    for _ in range(58):  # During the pause.
        await ana.send(type="ping")
    clock.now += 10
    for _ in range(21 + 58):
        await ana.expect("pong")
    for _ in range(70):
        clock.now += 1 / 5.8
        await ana.send(type="ping")
        await ana.expect("pong")


async def test_sixty_frames_every_ten_seconds_may_go_on(
    sockets: Sockets, conversation: Conversation, buyer: Any, clock: Clock
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    for _ in range(3):
        for _ in range(60):
            await ana.send(type="ping")
            await ana.expect("pong")
        clock.now += 10
    assert await ana.has_heard_all()


async def test_broken_frames_count_too(
    sockets: Sockets, conversation: Conversation, buyer: Any, clock: Clock
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    for _ in range(60):
        await ana.send_text("{")
        await ana.expect("error")
    await ana.send_text("{")
    assert await ana.communicator.receive_nothing(timeout=0.3)
    clock.now += 10
    for _ in range(60):
        await ana.send_text("{")
    assert await ana.close_code() == 4429


async def test_twenty_connections_and_the_oldest_goes(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.inbox(seller)
    opened = [await sockets.inbox(buyer) for _ in range(20)]
    assert await opened[0].has_heard_all()
    newest = await sockets.room(buyer, conversation.pk)
    assert await opened[0].close_code() == 4430
    for socket in (opened[1], opened[19], newest, sol):
        assert await socket.has_heard_all()


async def test_each_one_too_many_pushes_out_another(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    """Also while those pushed out have not hung up yet."""
    opened = [await sockets.inbox(buyer) for _ in range(20)]
    more = await asyncio.gather(*[sockets.inbox(buyer) for _ in range(5)])
    assert [await socket.close_code() for socket in opened[:5]] == [4430] * 5
    for socket in [*opened[5:], *more]:
        assert await socket.has_heard_all()
    for socket in opened[:5]:
        await socket.close()
    assert current_attendance().people == [buyer.pk]


# --- Without a socket ---------------------------------------------------------------------------


def test_windows_slide(clock: Clock) -> None:
    windows = rate_limits.SlidingWindows([(2, 5.0), (3, 60.0)])
    assert windows.take("ana")[0] == 0
    clock.now += 4
    assert windows.take("ana")[0] == 0
    assert windows.take("ana")[0] == 1
    assert windows.take("sol")[0] == 0
    clock.now += 1
    assert windows.take("ana")[0] == 0
    clock.now += 30
    assert windows.take("ana")[0] == 25  # The first of three is 35 s old.
    clock.now += 25
    assert windows.take("ana")[0] == 0


def test_what_is_given_back_may_be_taken_again(clock: Clock) -> None:
    windows = rate_limits.SlidingWindows([(1, 5.0)])
    _, moment = windows.take("ana")
    assert windows.take("ana")[0] == 5
    windows.give_back("ana", moment)
    windows.give_back("ana", moment)
    windows.give_back("nobody", moment)
    assert windows.take("ana")[0] == 0
    assert windows.take("ana")[0] == 5


def test_who_is_idle_is_forgotten(clock: Clock) -> None:
    windows = rate_limits.SlidingWindows([(1, 5.0)])
    for number in range(100):
        windows.take(number)
    clock.now += rate_limits.IDLE_SECONDS + 1
    windows.take("ana")
    assert list(windows._moments) == ["ana"]
