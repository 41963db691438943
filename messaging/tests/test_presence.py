"""Who is here: told at once, taken back only after a while without a socket anywhere."""

import asyncio
import threading
from typing import Any

import pytest
from django.core.cache import cache

from messaging import attendance, presence
from messaging.attendance import current_attendance
from messaging.doctor.sanity import SLOWEST_HEARTBEAT_SECONDS
from messaging.events import Event, presence_event
from messaging.heartbeat import current_heartbeat
from messaging.hub import current_hub
from messaging.models import Conversation
from messaging.runtime import in_database
from messaging.selectors import connections as selectors
from messaging.selectors import entering
from messaging.tests.conversing import say
from messaging.tests.sockets import Socket, Sockets


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendance, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(attendance, "ANSWER_SECONDS", 0.05)


async def online(user: Any) -> bool:
    return bool(await in_database(presence.find_online, [user.pk]))


async def hears(socket: Socket, user: Any, *, online: bool) -> bool:
    frame = await socket.receive()
    while frame["type"] == "heartbeat":  # Some tests let it beat quickly.
        frame = await socket.receive()
    expected = {
        "type": "presence",
        "user": user.pk,
        "online": online,
        "last_seen": presence.today(),
    }
    assert frame == expected
    return True


async def hears_nothing_more(socket: Socket) -> bool:
    """Not even of presence, for longer than it takes to go offline."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            raise AssertionError(await socket.receive())
    return True


async def test_online_is_told_at_once(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    await sockets.inbox(buyer)
    assert await hears(sol, buyer, online=True)
    await sockets.room(buyer, conversation.pk)
    assert await hears_nothing_more(sol)


async def test_offline_is_told_after_a_while(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    ana = await sockets.room(buyer, conversation.pk)
    assert await hears(sol, buyer, online=True)
    before = asyncio.get_running_loop().time()
    await ana.close()
    assert await hears(sol, buyer, online=False)
    assert asyncio.get_running_loop().time() - before >= 0.1
    assert not await online(buyer)
    assert attendance.GRACE_SECONDS == 0.1


def test_the_real_times_are_those_of_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert attendance.GRACE_SECONDS == 5


@pytest.mark.parametrize("heartbeat", [0.1, 2, 25, SLOWEST_HEARTBEAT_SECONDS])
def test_whoever_watches_looks_again_before_a_minute_is_over(
    settings: Any, heartbeat: float
) -> None:
    """And who is here says so again before that, also when a heartbeat is late."""
    settings.MESSAGING_HEARTBEAT_SECONDS = heartbeat
    assert heartbeat + 5 <= presence.lapse_seconds() <= 60 - heartbeat


async def test_another_socket_of_the_same_person_keeps_them_online(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    phone = await sockets.room(buyer, conversation.pk)
    laptop = await sockets.inbox(buyer)
    assert await hears(sol, buyer, online=True)
    await phone.close()
    assert await hears_nothing_more(sol)
    assert await online(buyer)
    await laptop.close()
    assert await hears(sol, buyer, online=False)


async def test_who_comes_back_in_time_was_never_away(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    ana = await sockets.room(buyer, conversation.pk)
    assert await hears(sol, buyer, online=True)
    await ana.close()
    await sockets.room(buyer, conversation.pk)
    assert await hears_nothing_more(sol)
    assert await online(buyer)


async def test_who_comes_back_after_a_heartbeat_that_missed_them_is_here(
    sockets: Sockets, conversation: Conversation, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has renewed nothing of theirs, and what was there lapses before the next one."""
    monkeypatch.setattr(attendance, "GRACE_SECONDS", 60)
    ana = await sockets.room(buyer, conversation.pk)
    await until_online(buyer)
    await ana.close()
    await current_heartbeat()._check_presence()
    await in_database(presence.mark_offline, buyer.pk)
    assert not await online(buyer)
    await sockets.room(buyer, conversation.pk)
    await until_online(buyer)


async def test_a_socket_at_another_process_keeps_them_online(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attendance, "ANSWER_SECONDS", 2)
    sol = await sockets.room(seller, conversation.pk)
    ana = await sockets.room(buyer, conversation.pk)
    assert await hears(sol, buyer, online=True)
    other = OtherProcess(buyer)
    await current_hub().group_add(attendance.ROLL_CALL, other)
    await ana.close()
    await asyncio.wait_for(other.asked.wait(), 5)
    assert await hears_nothing_more(sol)
    assert await online(buyer)


async def test_who_has_left_while_a_heartbeat_waited_is_not_renewed(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, monkeypatch: Any
) -> None:
    ana, _sol = [await sockets.room(user, conversation.pk) for user in (buyer, seller)]
    await until_online(buyer)
    asked, go_on = threading.Event(), threading.Event()
    ask_online = presence.ask_online

    def ask_slowly(people: Any) -> Any:
        asked.set()
        assert go_on.wait(10)
        return ask_online(people)

    monkeypatch.setattr(presence, "ask_online", ask_slowly)
    checking = asyncio.create_task(current_heartbeat()._check_presence())
    assert await asyncio.to_thread(asked.wait, 5)
    monkeypatch.setattr(presence, "ask_online", ask_online)
    await ana.close()
    await until_online(buyer, is_so=False)
    go_on.set()
    await checking
    assert not await online(buyer)


def test_a_cache_that_is_away_is_not_asked_by_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def fail(people: Any) -> Any:
        asked.append(people)
        raise ConnectionError("away")

    monkeypatch.setattr(presence, "_quiet_until", 0.0)
    monkeypatch.setattr(cache, "get_many", fail)
    assert [presence.ask_online([number]) for number in range(50)] == [None] * 50
    assert len(asked) == 1
    monkeypatch.setattr(presence, "_quiet_until", 0.0)  # A second later.
    assert presence.ask_online([50]) is None
    assert len(asked) == 2


class OtherProcess:
    """Answers the roll call for one person, as an `Attendance` elsewhere does."""

    conversation_id = None

    def __init__(self, user: Any) -> None:
        self.user = user
        self.asked = asyncio.Event()

    def post(self, event: Event) -> None:
        if event["type"] == "presence_question" and event["user"] == self.user.pk:
            answer = presence_event(user_id=self.user.pk, online=True, last_seen=None)
            answer["groups"].append(attendance.ROLL_CALL)
            current_hub().deliver([answer])
            self.asked.set()


async def test_who_leaves_two_processes_at_once_is_offline(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other process says that they left there: that is no sign of life."""
    monkeypatch.setattr(attendance, "ANSWER_SECONDS", 0.3)
    sol = await sockets.room(seller, conversation.pk)
    ana = await sockets.room(buyer, conversation.pk)
    assert await hears(sol, buyer, online=True)
    await ana.close()
    await asyncio.sleep(0.2)  # In the middle of the roll call.
    farewell = presence_event(user_id=buyer.pk, online=False, last_seen=presence.today())
    farewell["groups"] = [attendance.ROLL_CALL]
    current_hub().deliver([farewell])
    assert await hears(sol, buyer, online=False)


async def test_a_stranger_hears_of_nobody(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    teo = await sockets.inbox(stranger)
    sol = await sockets.room(seller, conversation.pk)
    await sockets.room(buyer, conversation.pk)
    assert await hears(sol, buyer, online=True)
    await teo.send(type="ping")
    assert await teo.receive() == {"type": "pong"}


async def test_a_request_over_http_is_no_presence(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    await in_database(say, buyer, conversation, "Over HTTP")
    await sol.expect("chat_message")
    assert await hears_nothing_more(sol)
    assert not await online(buyer)


async def test_who_comes_while_a_heartbeat_looks_was_here_today(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find_last_seen = presence.find_last_seen

    def find_and_let_come(people: Any) -> dict[Any, str]:
        found = find_last_seen(people)
        presence.mark_online([buyer.pk])  # On another process.
        return found

    settings.MESSAGING_HEARTBEAT_SECONDS = 0.1
    sol = await sockets.room(seller, conversation.pk)
    monkeypatch.setattr(presence, "find_last_seen", find_and_let_come)
    assert await hears(sol, buyer, online=True)


async def test_with_the_cache_away_sockets_work_and_nobody_is_declared_offline(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.MESSAGING_HEARTBEAT_SECONDS = 0.1
    sol = await sockets.room(seller, conversation.pk)
    await sockets.room(buyer, conversation.pk)
    assert await hears(sol, buyer, online=True)
    monkeypatch.setattr(presence, "cache", AwayCache())
    for _ in range(3):
        assert (await sol.receive())["type"] == "heartbeat"
    late = await sockets.open(buyer, f"/ws/room/{conversation.pk}/")
    ready = await late.expect("ready")
    assert [person["online"] for person in ready["participants"]] == [False, False]
    await late.send(message="Still works")
    await late.until("ack")


class AwayCache:
    def __getattr__(self, name: str) -> Any:
        raise ConnectionError("the cache is away")


async def test_a_heartbeat_notices_who_came_and_went_unheard(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, settings: Any
) -> None:
    settings.MESSAGING_HEARTBEAT_SECONDS = 0.1
    sol = await sockets.room(seller, conversation.pk)
    await in_database(presence.mark_online, [buyer.pk])
    frames = await sol.until("presence")
    assert (frames[-1]["user"], frames[-1]["online"]) == (buyer.pk, True)
    await in_database(presence.mark_offline, buyer.pk)
    frames = await sol.until("presence")
    assert (frames[-1]["user"], frames[-1]["online"]) == (buyer.pk, False)


async def watch_from_afar(
    sockets: Sockets, conversation: Conversation, watched: Any, watcher: Any
) -> Socket:
    """The watcher's socket. The other is at another process, which says so at each heartbeat."""
    socket = await sockets.room(watcher, conversation.pk)
    await in_database(presence.mark_online, [watched.pk])
    await current_heartbeat()._check_presence()
    assert await hears(socket, watched, online=True)
    return socket


async def test_a_cache_that_was_emptied_makes_nobody_gone(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await watch_from_afar(sockets, conversation, buyer, seller)
    await in_database(presence.forget, buyer.pk)
    await in_database(presence.forget, seller.pk)
    await current_heartbeat()._check_presence()
    assert await hears_nothing_more(sol)
    assert await online(seller)
    await in_database(presence.mark_online, [buyer.pk])
    await current_heartbeat()._check_presence()
    assert await hears_nothing_more(sol)
    await in_database(presence.mark_offline, buyer.pk)
    await current_heartbeat()._check_presence()
    assert await hears(sol, buyer, online=False)


async def test_who_does_not_come_back_after_it_is_gone_at_the_next_heartbeat(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await watch_from_afar(sockets, conversation, buyer, seller)
    for user in (buyer, seller):
        await in_database(presence.mark_offline, user.pk)
    await current_heartbeat()._check_presence()
    assert await hears_nothing_more(sol)
    await current_heartbeat()._check_presence()
    assert await hears(sol, buyer, online=False)


async def test_who_comes_while_a_room_is_being_read_is_here(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They were told to nobody: the one who is to be told was not yet listening."""
    read, go_on = threading.Event(), threading.Event()
    enter_rooms = entering.enter_rooms

    def read_and_wait(asked: Any) -> Any:
        rooms = enter_rooms(asked)
        read.set()
        assert go_on.wait(10)
        return rooms

    monkeypatch.setattr(entering, "enter_rooms", read_and_wait)
    sol = await sockets.open(seller, f"/ws/room/{conversation.pk}/")
    assert await asyncio.to_thread(read.wait, 5)
    await sockets.inbox(buyer)
    await until_online(buyer)
    go_on.set()
    ready = await sol.until("ready")
    if not online_in(ready[-1], buyer):
        assert await hears(sol, buyer, online=True)


def online_in(ready: Any, user: Any) -> bool:
    return bool({each["id"]: each["online"] for each in ready["participants"]}[user.pk])


async def test_a_slow_database_keeps_nobody_from_being_here(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()
    read_inboxes = selectors.read_inboxes

    def read_slowly(user_ids: Any) -> Any:
        assert go_on.wait(10)
        return read_inboxes(user_ids)

    settings.MESSAGING_HEARTBEAT_SECONDS = 0.05
    ana = await sockets.inbox(buyer)
    monkeypatch.setattr(selectors, "read_inboxes", read_slowly)
    for _ in range(3):
        await in_database(presence.mark_offline, buyer.pk)
        await until_online(buyer)
    go_on.set()
    await ana.expect("heartbeat")


async def until_online(user: Any, *, is_so: bool = True) -> None:
    async with asyncio.timeout(5):
        while await online(user) is not is_so:
            await asyncio.sleep(0.01)


async def test_a_heartbeat_renews_the_presence_of_who_is_connected(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    await sockets.inbox(buyer)
    assert await hears(sol, buyer, online=True)
    await in_database(presence.mark_offline, buyer.pk)
    assert not await online(buyer)
    current_heartbeat()._soon.set()
    await until_online(buyer)


async def test_nothing_is_left_of_who_has_gone(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    ana = await sockets.room(buyer, conversation.pk)
    assert await hears(sol, buyer, online=True)
    assert set(current_attendance().people) == {buyer.pk, seller.pk}
    await ana.close()
    assert await hears(sol, buyer, online=False)
    there = current_attendance()
    assert there.people == [seller.pk]
    assert (there._leaving, there._asking) == ({}, {})
