"""Somebody's row is held by somebody else: what that costs them, and nobody else.

On SQLite nobody holds a row: there is one writer at a time.
"""

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection, connections, transaction
from django.test import Client

from messaging import journal as journal_module
from messaging.bus import current_bus
from messaging.exceptions import Unavailable
from messaging.journal import LOCK_SECONDS, Journal
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.services.drafts import Draft, Outcome, Receipt
from messaging.services.holding import wait_at_most
from messaging.services.record import record
from messaging.sessions import SessionStamp
from messaging.tests.browsing import post_json, url
from messaging.tests.crowd import draft_of, make_conversations

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="One writer at a time."),
]


@pytest_asyncio.fixture
async def journal(transactional_db: None) -> AsyncIterator[Journal]:
    made = Journal()
    yield made
    await made.close()
    await current_bus().finish()


@pytest.fixture
def rows(seller: Any) -> list[Conversation]:
    return make_conversations(seller, 5)


@pytest.fixture
def drafts(rows: list[Conversation]) -> list[Draft]:
    """Two of each buyer, in a session of theirs, the first two of the first."""
    stamps = [sign_in(row.buyer) for row in rows]
    return [
        draft_of(row.buyer, row, body, session=stamp)
        for row, stamp in zip(rows, stamps, strict=True)
        for body in ("one", "two")
    ]


def sign_in(person: Any) -> SessionStamp:
    client = Client()
    client.force_login(person)
    return SessionStamp(str(client.session.session_key), client.session["_auth_user_hash"])


@contextmanager
def held(hold: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """By a transaction in another thread, until what this gives is called or the block ends."""
    has, let_go = threading.Event(), threading.Event()

    def run() -> None:
        with transaction.atomic():
            hold()
            has.set()
            let_go.wait(20)
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert has.wait(10)
    try:
        yield let_go.set
    finally:
        let_go.set()
        thread.join()


def save_profile(*people: Any) -> None:
    for person in people:
        get_user_model().objects.filter(pk=person.pk).update(last_login=None)


def log_out(stamp: SessionStamp) -> None:
    Session.objects.filter(pk=stamp.key).delete()


def lock_conversation(row: Conversation) -> None:
    Conversation.objects.select_for_update().get(pk=row.pk)


async def store(
    journal: Journal, drafts: Sequence[Draft], after_each: Callable[[], object] = int
) -> list[tuple[int, Outcome, float]]:
    """(place among the drafts, what became of it, after how many seconds), as they are answered."""
    answered: list[tuple[int, Outcome, float]] = []
    began = time.monotonic()

    def note(place: int, outcome: Outcome) -> None:
        answered.append((place, outcome, time.monotonic() - began))
        after_each()

    for place, draft in enumerate(drafts):
        journal.append(draft, partial(note, place))
    await journal.finish()
    return answered


def kinds(answered: list[tuple[int, Outcome, float]]) -> list[type[Outcome]]:
    return [type(outcome) for _, outcome, _ in sorted(answered, key=lambda entry: entry[0])]


@pytest.mark.parametrize("what", ["row", "session"])
async def test_a_held_row_costs_only_its_own_person(
    journal: Journal, rows: list[Conversation], drafts: list[Draft], what: str
) -> None:
    stamp = drafts[0].session
    assert stamp
    hold = partial(save_profile, rows[0].buyer) if what == "row" else partial(log_out, stamp)
    assert len(drafts) == 10
    with held(hold):
        answered = await store(journal, drafts)
    assert kinds(answered) == [Unavailable] * 2 + [Receipt] * 8
    # The others were answered before anything was waited for.
    assert [place for place, _, _ in answered] == [*range(2, 10), 0, 1]
    assert answered[7][2] < LOCK_SECONDS <= answered[8][2]
    assert await in_database(Message.objects.filter(conversation=rows[0]).count) == 1


async def test_several_of_them_are_waited_for_together(
    journal: Journal, rows: list[Conversation], drafts: list[Draft]
) -> None:
    with held(partial(save_profile, *[row.buyer for row in rows[:4]])):
        answered = await store(journal, drafts)
    assert kinds(answered) == [Unavailable] * 8 + [Receipt] * 2
    assert LOCK_SECONDS <= answered[-1][2] < 2 * LOCK_SECONDS


async def test_who_is_held_for_a_moment_is_stored_in_order(
    journal: Journal, rows: list[Conversation], drafts: list[Draft]
) -> None:
    with held(partial(save_profile, rows[0].buyer)) as let_go:
        answered = await store(journal, drafts, after_each=let_go)
    assert kinds(answered) == [Receipt] * 10
    assert [place for place, _, _ in answered] == [*range(2, 10), 0, 1]
    said = await in_database(
        lambda: list(rows[0].messages.order_by("sequence").values_list("body", flat=True))
    )
    assert said[1:] == ["one", "two"]


async def test_one_alone_is_not_waited_for_longer(
    journal: Journal, rows: list[Conversation], drafts: list[Draft]
) -> None:
    """Whoever writes meanwhile queues up behind it."""
    with held(partial(save_profile, rows[0].buyer)):
        answered = await store(journal, drafts[:1])
    assert kinds(answered) == [Unavailable]
    assert answered[0][2] < 2 * LOCK_SECONDS


async def test_a_held_conversation_is_not_a_database_that_is_away(
    journal: Journal,
    rows: list[Conversation],
    drafts: list[Draft],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []

    def note(drafts: Sequence[Draft], **how: bool) -> Any:
        calls.append(len(drafts))
        if len(calls) == 1:  # The server's own limit is 5 s.
            with transaction.atomic():
                wait_at_most(0.1)
                return record(drafts, **how)
        return record(drafts, **how)

    monkeypatch.setattr(journal_module, "record", note)
    with held(partial(lock_conversation, rows[0])):
        answered = await store(journal, drafts)
    assert kinds(answered) == [Unavailable] * 2 + [Receipt] * 8
    assert calls == [10, 2, 2, 2, 2, 2]


# --- Who had to give way -------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["new_message/", "read/", "messages/1/delete/"])
def test_who_gave_way_in_a_deadlock_is_stored_all_the_same(
    door: str, conversation: Conversation, buyer: Any, client_of: Any
) -> None:
    """The server ends one of two that wait for each other: that one begins anew, once."""
    deadlocks: list[str] = []

    def give_way(execute: Any, sql: str, *arguments: Any) -> Any:
        if "FOR NO KEY UPDATE" in sql and not deadlocks:
            deadlocks.append(sql)
            return execute(
                "DO $$BEGIN RAISE 'deadlock' USING ERRCODE = '40P01'; END$$", None, *arguments[1:]
            )
        return execute(sql, *arguments)

    ana = client_of(buyer)
    with connection.execute_wrapper(give_way):
        answer = post_json(ana, url(conversation, door), message="Hello", sequence=1)
    assert len(deadlocks) == 1
    assert answer.status_code in (200, 201)
