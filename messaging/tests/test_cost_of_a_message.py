"""How many calls of Python's a message takes on its way through the server. Seconds depend on the
machine; calls do not, and what makes a message slower is nearly always more of them."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from messaging import journal as journal_module
from messaging.held_drafts import Entry
from messaging.hub import current_hub
from messaging.journals import Journals
from messaging.models import Conversation
from messaging.runtime import in_database
from messaging.services.record import record
from messaging.tests.conversing import draft_of
from messaging.tests.sockets import Socket, Sockets
from messaging.transport import EXTENSION

WARM, COUNTED = 20, 50
# What was counted on Python 3.11 when this was written, and a tenth.
TAKEN, ANSWERED, DELIVERED = 78, 42, 48
RECORDED = {"postgresql": 66, "sqlite": 77}
BATCH = {"postgresql": 840, "sqlite": 779}  # Whatever its size.


class Line:
    """A server with a short way in and out."""

    def __init__(self) -> None:
        self.take: Callable[[str], bool] = lambda text: False
        self.sent: list[str] = []

    def unsent_bytes(self) -> int:
        return 0

    def is_lost(self) -> bool:
        return False

    def send_text(self, text: str) -> bool:
        self.sent.append(text)
        return True

    def offer_texts(self, take: Callable[[str], bool]) -> None:
        self.take = take


class Calls:
    def __init__(self) -> None:
        self.number = 0

    def note(self, frame: Any, event: str, argument: Any) -> None:
        self.number += event in ("call", "c_call")


@contextmanager
def counted() -> Iterator[Calls]:
    """Of this thread."""
    calls = Calls()
    before = sys.getprofile()
    sys.setprofile(calls.note)
    try:
        yield calls
    finally:
        sys.setprofile(before)


@pytest.fixture(autouse=True)
def no_limits(settings: Any) -> None:
    settings.MESSAGING_SEND_LIMITS = []


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> list[Entry]:
    """What the journals are given, which they do not store by themselves."""
    given: list[Entry] = []
    monkeypatch.setattr(
        Journals, "append", lambda self, draft, answer: given.append((draft, answer))
    )
    return given


async def enter(sockets: Sockets, person: Any, conversation: Conversation) -> tuple[Socket, Line]:
    line = Line()
    socket = await sockets.make(person, f"/ws/room/{conversation.pk}/")
    socket.communicator.scope["extensions"] = {EXTENSION: line}
    assert await socket.open()
    async with asyncio.timeout(5):
        while not any('"ready"' in text for text in line.sent):
            await asyncio.sleep(0.01)
    line.sent.clear()
    return socket, line


def said(number: int) -> str:
    words = f"Is it still there? I could come on day {number}."
    frame = {"type": "chat_message", "message": words, "client_message_id": str(uuid4())}
    return json.dumps(frame)


async def test_a_message_takes_few_calls_in_the_loop(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, entries: list[Entry]
) -> None:
    _ana, line = await enter(sockets, buyer, conversation)
    _sol, other = await enter(sockets, seller, conversation)
    await pass_on(line, entries, WARM)
    taken, answered, delivered = await pass_on(line, entries, COUNTED)
    print(f"taken {taken:.1f}, answered {answered:.1f}, delivered {delivered:.1f}")
    assert [kind_of(text) for text in line.sent].count("ack") == WARM + COUNTED
    assert [kind_of(text) for text in other.sent].count("chat_message") == WARM + COUNTED
    assert (taken <= TAKEN, answered <= ANSWERED, delivered <= DELIVERED) == (True, True, True)


def kind_of(text: str) -> str:
    return str(json.loads(text)["type"])


async def pass_on(line: Line, entries: list[Entry], count: int) -> tuple[float, float, float]:
    """Calls a message: from the frame to the journal, from the journal to the ack, and from there
    to the other side."""
    frames = [said(number) for number in range(count)]
    entries.clear()
    with counted() as taking:
        for frame in frames:
            assert line.take(frame)
    recorded = await in_database(record, [draft for draft, _ in entries])
    with counted() as answering:
        for (_, answer), outcome in zip(entries, recorded.outcomes, strict=True):
            journal_module._give(answer, outcome)
    with counted() as delivering:
        current_hub().deliver(recorded.events)
    await asyncio.sleep(0)
    return taking.number / count, answering.number / count, delivering.number / count


def test_a_message_takes_few_calls_beside_the_loop(
    transactional_db: None, conversation: Conversation, buyer: Any
) -> None:
    record([draft_of(buyer, conversation, f"{number}") for number in range(WARM)])
    few = count_recording(conversation, buyer, COUNTED)
    many = count_recording(conversation, buyer, 3 * COUNTED)
    each = (many - few) / (2 * COUNTED)
    print(f"recorded: {each:.1f} each, {few - COUNTED * each:.0f} for a batch")
    assert each <= RECORDED[connection.vendor]
    assert few - COUNTED * each <= BATCH[connection.vendor]


def count_recording(conversation: Conversation, buyer: Any, count: int) -> int:
    drafts = [draft_of(buyer, conversation, f"{number}") for number in range(count)]
    with counted() as calls:
        record(drafts)
    return calls.number
