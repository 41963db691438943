"""Two journals: what waits in one holds up nobody in the other, and together they keep no more."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from django.db import connection

from messaging import journal as journal_module
from messaging.bus import current_bus
from messaging.exceptions import Unavailable
from messaging.identifiers import uuid7
from messaging.journals import Journals
from messaging.models import Conversation
from messaging.runtime import in_database
from messaging.services.drafts import Draft, Receipt, Recorded
from messaging.tests.conversing import draft_of, make_conversation
from messaging.tests.test_held_rows import sign_in


@pytest_asyncio.fixture
async def journals(transactional_db: None) -> AsyncIterator[Journals]:
    made = Journals()
    yield made
    await made.close()
    await current_bus().finish()


@pytest.fixture
def pair(conversation: Conversation, stranger: Any, seller: Any) -> Any:
    """Two conversations of different journals, with a buyer each."""
    other = make_conversation(stranger, seller)
    while other.pk.int % 2 == conversation.pk.int % 2:
        other.delete()
        other = make_conversation(stranger, seller)
    return conversation, other


def stop_one(monkeypatch: pytest.MonkeyPatch, conversation_id: UUID) -> threading.Event:
    """Whatever is in a batch with a message of this conversation waits until it is set."""
    go_on, record_safely = threading.Event(), journal_module.record_safely

    def wait_and_record(drafts: Sequence[Draft]) -> Recorded:
        if any(draft.conversation_id == conversation_id for draft in drafts):
            assert go_on.wait(10)
        return record_safely(drafts)

    monkeypatch.setattr(journal_module, "record_safely", wait_and_record)
    return go_on


async def until(outcomes: list[Any], count: int) -> None:
    async with asyncio.timeout(5):
        while len(outcomes) < count:
            await asyncio.sleep(0.01)


async def test_one_that_waits_holds_up_no_other(
    journals: Journals, pair: Any, buyer: Any, stranger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("One writer at a time.")
    first, other = pair
    go_on = stop_one(monkeypatch, first.pk)
    held: list[Any] = []
    stored: list[Any] = []
    for number in range(3):
        journals.append(draft_of(buyer, first, f"{number}"), held.append)
        journals.append(draft_of(stranger, other, f"{number}"), stored.append)
    await until(stored, 3)
    assert not held
    assert journals.is_at_work()
    go_on.set()
    await journals.finish()
    for outcomes in (held, stored):
        assert [type(outcome) for outcome in outcomes] == [Receipt] * 3
        sequences = [outcome.sequence for outcome in outcomes]
        assert sequences == sorted(sequences)


async def test_together_they_keep_no_more_than_one_may(
    journals: Journals, pair: Any, buyer: Any, stranger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "MAXIMUM_WAITING", 3)
    go_on = threading.Event()
    record_safely = journal_module.record_safely

    def wait_and_record(drafts: Sequence[Draft]) -> Recorded:
        assert go_on.wait(10)
        return record_safely(drafts)

    monkeypatch.setattr(journal_module, "record_safely", wait_and_record)
    outcomes: list[Any] = []
    for person, conversation in zip((buyer, stranger) * 4, pair * 4, strict=True):
        journals.append(draft_of(person, conversation, "one of many"), outcomes.append)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 5
    go_on.set()
    await journals.finish()
    assert [type(outcome) for outcome in outcomes[5:]] == [Receipt] * 3


async def test_who_writes_everywhere_at_once_is_answered_everywhere(
    journals: Journals, seller: Any, stranger: Any
) -> None:
    """Both journals want their row, over and over, and only one can have it."""
    stamp = await in_database(sign_in, seller)
    lamps = [f"Lamp {number}" for number in range(40)]
    talks = [await in_database(make_conversation, stranger, seller, lamp) for lamp in lamps]
    outcomes: list[Any] = []
    for number in range(5):
        for talk in talks:
            draft = draft_of(seller, talk, f"{number}", session=stamp)
            journals.append(draft, outcomes.append)
        await asyncio.sleep(0.005)
    await journals.finish()
    assert Counter(type(outcome) for outcome in outcomes) == {Receipt: 5 * len(talks)}


async def test_conversations_are_spread_over_both(journals: Journals) -> None:
    taken = [uuid7().int % len(journals._journals) for _ in range(1_000)]
    on_postgresql = await in_database(lambda: connection.vendor == "postgresql")
    assert len(set(taken)) == (2 if on_postgresql else 1)
    if on_postgresql:
        assert 400 < sum(taken) < 600
