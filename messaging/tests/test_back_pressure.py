"""What one connection may have in flight, and what a process takes at all."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from messaging import answers, fields
from messaging import journal as journal_module
from messaging.admission import current_admission
from messaging.attendance import current_attendance
from messaging.bus import current_bus
from messaging.exceptions import NotFound, Unavailable
from messaging.heartbeat import current_heartbeat
from messaging.hub import Hub
from messaging.journal import Journal
from messaging.models import Conversation
from messaging.selectors import entering
from messaging.services.drafts import Draft, Recorded
from messaging.tests.conversing import draft_of
from messaging.tests.sockets import Socket, Sockets
from messaging.transport import EXTENSION

MOST = answers.MOST_FRAMES


@pytest_asyncio.fixture
async def database_stands(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[threading.Event]:
    """The journal commits nothing until it is set."""
    goes_on = threading.Event()
    record_safely = journal_module.record_safely

    def wait_and_record(drafts: Sequence[Draft]) -> Recorded:
        goes_on.wait(20)
        return record_safely(drafts)

    monkeypatch.setattr(journal_module, "record_safely", wait_and_record)
    yield goes_on
    goes_on.set()


@pytest.fixture(autouse=True)
def no_limits(settings: Any) -> None:
    settings.MESSAGING_SEND_LIMITS = []


def count_left(socket: Socket) -> int:
    """Frames that the connection has not taken from its server."""
    return int(socket.communicator.input_queue.qsize())


async def until_it_takes_no_more(socket: Socket) -> int:
    left = -1
    while left != (left := count_left(socket)):
        await asyncio.sleep(0.2)
    return left


@pytest.mark.parametrize(
    ("padding", "taken"), [(0, MOST), (60_000, 5)], ids=["many frames", "many bytes"]
)
async def test_frames_wait_outside_until_those_taken_are_answered(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    database_stands: threading.Event,
    padding: int,
    taken: int,
) -> None:
    ana, other = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)
    for _ in range(MOST + 50):
        await ana.send(message="Again", padding="x" * padding)
    assert await until_it_takes_no_more(ana) == MOST + 50 - taken
    assert await other.has_heard_all()
    database_stands.set()
    acks = [await ana.expect("ack") for _ in range(MOST + 50)]
    assert [ack["sequence"] for ack in acks] == list(range(2, MOST + 52))


async def test_read_positions_and_resumes_are_frames_like_others(
    sockets: Sockets, conversation: Conversation, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each about another conversation, which makes it work of its own."""
    goes_on = threading.Event()
    monkeypatch.setattr("messaging.sending.mark_read", lambda **_: goes_on.wait(20))

    def enter_rooms(asked: Sequence[Any]) -> list[NotFound]:
        goes_on.wait(20)
        return [NotFound()] * len(asked)

    monkeypatch.setattr(entering, "enter_rooms", enter_rooms)
    for type in ("read", "resume"):
        goes_on.clear()
        ana = await sockets.inbox(buyer)
        for number in range(2 * MOST):
            await ana.send(type=type, conversation=str(uuid4()), sequence=number, after=number)
        assert await until_it_takes_no_more(ana) >= MOST - 2
        goes_on.set()
        await ana.close()


async def test_who_is_gone_does_not_wait_for_room(
    sockets: Sockets, conversation: Conversation, buyer: Any, database_stands: threading.Event
) -> None:
    class Lost:
        def unsent_bytes(self) -> int:
            return 0

        def is_lost(self) -> bool:
            return True

        def send_text(self, text: str) -> bool:
            return True

    ana = await sockets.make(buyer, f"/ws/room/{conversation.pk}/")
    ana.communicator.scope["extensions"] = {EXTENSION: Lost()}
    assert await ana.open()
    for _ in range(MOST + 50):
        await ana.send(message="On my way out")
    await ana.communicator.send_input({"type": "websocket.disconnect", "code": 1001})
    await ana.communicator.wait(timeout=5)
    assert buyer.pk not in current_attendance().people


def test_a_frame_keeps_nothing_but_its_id() -> None:
    identifier = str(uuid4()).upper()
    frame = {"message": "Hello", "padding": [[]] * 1_000, "client_message_id": identifier}
    fields.forget_all_but_id(frame)
    assert frame == {"client_message_id": identifier}
    frame = {"type": "ping", "client_message_id": ["x"] * 1_000}
    fields.forget_all_but_id(frame)
    assert frame == {}


async def test_the_bytes_that_wait_for_a_commit_are_bounded(
    transactional_db: None,
    conversation: Conversation,
    buyer: Any,
    database_stands: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal_module, "MAXIMUM_WAITING_BYTES", 10_000)
    journal = Journal()
    outcomes: list[Any] = []
    for _ in range(2):  # The second time shows that what was committed no longer counts.
        database_stands.clear()
        journal.append(draft_of(buyer, conversation, "first"), outcomes.append)
        await asyncio.sleep(0)  # It is being committed; the others wait.
        for _ in range(5):
            journal.append(draft_of(buyer, conversation, "x" * 4_000), outcomes.append)
        assert [type(outcome) for outcome in outcomes] == [Unavailable] * 2
        database_stands.set()
        await journal.finish()
        assert len(outcomes) == 6
        outcomes.clear()
    await journal.close()
    await current_bus().finish()


async def test_a_process_with_enough_connections_sends_the_next_elsewhere(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, settings: Any
) -> None:
    settings.MESSAGING_CONNECTIONS = 2
    first, second = await sockets.inbox(buyer), await sockets.room(buyer, conversation.pk)
    for path in ("/ws/inbox/", f"/ws/room/{conversation.pk}/"):
        third = await sockets.open(seller, path)
        assert await third.close_code() == 4413
        await third.close()
    assert seller.pk not in current_attendance().people
    assert current_heartbeat().count == 2
    assert await first.has_heard_all()
    await second.close()
    fourth = await sockets.inbox(seller)
    assert await fourth.has_heard_all()


async def test_a_process_that_ends_sends_who_still_knocked_elsewhere(
    sockets: Sockets, buyer: Any
) -> None:
    current_admission().is_ending = True
    late = await sockets.open(buyer, "/ws/inbox/")
    assert await late.close_code() == 4412


@pytest.fixture
def layer_is_slow(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Who opens a socket waits for it until it is set."""
    goes_on, group_add = asyncio.Event(), Hub.group_add

    async def wait_and_add(self: Hub, group: str, connection: Any) -> None:
        await goes_on.wait()
        await group_add(self, group, connection)

    monkeypatch.setattr(Hub, "group_add", wait_and_add)
    return goes_on


async def open_while(
    sockets: Sockets, buyer: Any, goes_on: asyncio.Event, count: int, change: Any = None
) -> list[Socket]:
    """So many at once, all of them asked in before any goes on."""
    await sockets.session_key(buyer)
    opening = [asyncio.create_task(sockets.open(buyer, "/ws/inbox/")) for _ in range(count)]
    await asyncio.sleep(0.5)
    if change:
        change()
    goes_on.set()
    return list(await asyncio.gather(*opening))


async def test_those_who_come_at_once_are_counted_when_they_are_in(
    sockets: Sockets, buyer: Any, settings: Any, layer_is_slow: asyncio.Event
) -> None:
    settings.MESSAGING_CONNECTIONS = 3
    opened = await open_while(sockets, buyer, layer_is_slow, 6)
    assert current_heartbeat().count == 3
    outputs = [await socket.communicator.receive_output(timeout=5) for socket in opened]
    codes = [output.get("code") for output in outputs]
    assert sorted(codes, key=str) == [4413] * 3 + [None] * 3


async def test_who_is_on_the_way_in_while_the_process_ends_is_sent_elsewhere(
    sockets: Sockets, buyer: Any, layer_is_slow: asyncio.Event
) -> None:
    def end() -> None:
        current_admission().is_ending = True

    [late] = await open_while(sockets, buyer, layer_is_slow, 1, end)
    assert await late.close_code() == 4412
    assert current_heartbeat().count == 0


async def test_what_ends_beside_the_answers_makes_room_at_once() -> None:
    owed = answers.Answers()
    waiting = asyncio.create_task(owed.wait_for_change())
    await asyncio.sleep(0)
    began = time.monotonic()
    task = asyncio.create_task(asyncio.sleep(0))
    task.add_done_callback(owed.note_end)
    await waiting
    assert time.monotonic() - began < answers.LOOK_AGAIN_SECONDS
