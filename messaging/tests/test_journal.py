"""Group commit: what a batch is, and what becomes of each draft when something goes wrong."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from django.db import DatabaseError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from msgspec.structs import replace

from messaging import journal as journal_module
from messaging.bus import current_bus
from messaging.exceptions import MessagingError, Unavailable
from messaging.hub import current_hub
from messaging.journal import Journal
from messaging.models import Conversation, Message
from messaging.services.drafts import ConversationHeld, Draft, Outcome, Receipt, Recorded
from messaging.services.record import record
from messaging.tests.conversing import draft_of, make_conversation


@pytest_asyncio.fixture
async def journal(transactional_db: None) -> AsyncIterator[Journal]:
    made = Journal()
    yield made
    await made.close()
    await current_bus().finish()


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many drafts each batch had."""
    sizes: list[int] = []
    original = journal_module.record_safely

    def note(drafts: Sequence[Draft]) -> Recorded:
        sizes.append(len(drafts))
        return original(drafts)

    monkeypatch.setattr(journal_module, "record_safely", note)
    return sizes


Recording = Callable[[Sequence[Draft]], Recorded]


def put_before_record(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> list[int]:
    """Call `act` with the number of each call of `record` before it runs. Gives their sizes."""
    calls: list[int] = []

    def act_and_record(drafts: Sequence[Draft], **how: Any) -> Recorded:
        calls.append(len(drafts))
        act(len(calls))
        return record(drafts, **how)

    monkeypatch.setattr(journal_module, "record", act_and_record)
    return calls


async def append_all(journal: Journal, drafts: Sequence[Draft]) -> list[Outcome]:
    """In one breath; the outcomes in the order of the drafts, each exactly once."""
    outcomes: dict[UUID, list[Outcome]] = {draft.client_message_id: [] for draft in drafts}
    for draft in drafts:
        journal.append(draft, outcomes[draft.client_message_id].append)
    await asyncio.wait_for(journal.finish(), 30)
    assert [len(given) for given in outcomes.values()] == [1] * len(drafts)
    return [given[0] for given in outcomes.values()]


def many(user: Any, conversation: Conversation, count: int, body: str = "again") -> list[Draft]:
    return [draft_of(user, conversation, body) for _ in range(count)]


def receipts(outcomes: Sequence[Outcome]) -> list[Receipt]:
    return [outcome for outcome in outcomes if isinstance(outcome, Receipt)]


async def stored(conversation: Conversation) -> list[int]:
    rows = Message.objects.filter(conversation=conversation).order_by("sequence")
    return [sequence async for sequence in rows.values_list("sequence", flat=True)]


# --- Batches ------------------------------------------------------------------------------------


async def test_a_batch_has_at_most_500_drafts(
    journal: Journal, conversation: Conversation, buyer: Any, batches: list[int]
) -> None:
    outcomes = await append_all(journal, many(buyer, conversation, 1_100))
    assert batches == [500, 500, 100]
    assert [receipt.sequence for receipt in receipts(outcomes)] == list(range(2, 1_102))
    assert await stored(conversation) == list(range(1, 1_102))


async def test_a_batch_has_at_most_one_mebibyte(
    journal: Journal, conversation: Conversation, buyer: Any, batches: list[int]
) -> None:
    body = "\U0001f600" * 4_000
    outcomes = await append_all(journal, many(buyer, conversation, 140, body))
    per_batch = 1024 * 1024 // len(body.encode())
    assert batches == [per_batch, per_batch, 140 - 2 * per_batch]
    assert len(receipts(outcomes)) == 140


async def test_what_comes_while_a_batch_commits_is_the_next_batch(
    journal: Journal,
    conversation: Conversation,
    buyer: Any,
    batches: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on, begun = threading.Event(), threading.Event()

    def wait(call: int) -> None:
        begun.set()
        assert go_on.wait(10)

    put_before_record(monkeypatch, wait)
    first = asyncio.create_task(append_all(journal, many(buyer, conversation, 1)))
    await asyncio.to_thread(begun.wait, 5)
    second = asyncio.create_task(append_all(journal, many(buyer, conversation, 70)))
    await asyncio.sleep(0)
    assert journal.depth == 70
    go_on.set()
    assert len(receipts(await first + await second)) == 71
    assert batches == [1, 70]


async def test_ten_thousand_wait_and_the_next_is_refused(
    journal: Journal, conversation: Conversation, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(drafts: Sequence[Draft]) -> Recorded:
        return Recorded(outcomes=[Unavailable("after the wait") for _ in drafts])

    monkeypatch.setattr(journal_module, "record_safely", refuse)
    outcomes = await append_all(journal, many(buyer, conversation, 10_002))
    sentences = [str(cast("MessagingError", outcome).sentence) for outcome in outcomes]
    assert sentences[:10_000] == ["after the wait"] * 10_000
    assert "after the wait" not in sentences[10_000:]
    assert {cast("MessagingError", outcome).code for outcome in outcomes} == {"unavailable"}


# --- When it fails ------------------------------------------------------------------------------


def fails_inside(draft: Draft) -> Draft:
    """Nothing that a door lets through: it breaks the transaction of whatever batch it is in."""
    return replace(draft, read_sequence=cast("int", "many"))


@pytest.mark.parametrize("place", [0, 150, 299])
async def test_one_that_cannot_be_stored_costs_only_itself(
    journal: Journal,
    conversation: Conversation,
    buyer: Any,
    batches: list[int],
    place: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, logger="messaging.journal")
    drafts = many(buyer, conversation, 300)
    drafts[place] = fails_inside(drafts[place])
    outcomes = await append_all(journal, drafts)
    assert batches == [300]
    assert isinstance(outcomes[place], Unavailable)
    assert len(receipts(outcomes)) == 299
    assert await stored(conversation) == list(range(1, 301))


async def test_a_batch_that_fails_once_is_tried_again(
    journal: Journal, conversation: Conversation, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_once(call: int) -> None:
        if call == 1:
            raise OperationalError("the server closed the connection")

    calls = put_before_record(monkeypatch, fail_once)
    outcomes = await append_all(journal, many(buyer, conversation, 5))
    assert calls == [5, 5]
    assert [receipt.duplicate for receipt in receipts(outcomes)] == [False] * 5


async def test_a_commit_whose_answer_was_lost_is_not_repeated(
    journal: Journal, conversation: Conversation, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def record_and_lose_the_answer(drafts: Sequence[Draft], **how: Any) -> Recorded:
        calls.append(len(drafts))
        recorded = record(drafts, **how)
        if len(calls) == 1:
            raise OperationalError("the server closed the connection")
        return recorded

    monkeypatch.setattr(journal_module, "record", record_and_lose_the_answer)
    outcomes = await append_all(journal, many(buyer, conversation, 5))
    assert [receipt.sequence for receipt in receipts(outcomes)] == [2, 3, 4, 5, 6]
    assert await stored(conversation) == [1, 2, 3, 4, 5, 6]


async def test_with_the_database_away_all_are_refused_and_the_next_batch_goes_on(
    journal: Journal,
    conversation: Conversation,
    buyer: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, logger="messaging.journal")

    def fail_twice(call: int) -> None:
        if call <= 2:
            raise OperationalError("connection refused")

    calls = put_before_record(monkeypatch, fail_twice)
    outcomes = await append_all(journal, many(buyer, conversation, 300))
    assert calls == [300, 300]  # And not one by one.
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert await stored(conversation) == [1]
    assert len(receipts(await append_all(journal, many(buyer, conversation, 3)))) == 3


async def test_a_database_that_goes_away_meanwhile_is_not_asked_for_each_draft(
    journal: Journal,
    conversation: Conversation,
    buyer: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, logger="messaging.journal")

    def fail(call: int) -> None:
        if call <= 2:
            raise DatabaseError("a bad value")
        if call > 4:
            raise OperationalError("connection refused")

    calls = put_before_record(monkeypatch, fail)
    outcomes = await append_all(journal, many(buyer, conversation, 100))
    assert calls == [100, 100, 1, 1, 1]
    assert [type(outcome) for outcome in outcomes] == [Receipt] * 2 + [Unavailable] * 98


async def test_one_by_one_nobody_overtakes_who_is_held(
    journal: Journal,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A row is held when the first is tried, and is not any more when the next ones are."""
    caplog.set_level(logging.CRITICAL, logger="messaging.journal")
    tried: list[int] = []

    def fail_and_hold(drafts: Sequence[Draft], **how: Any) -> Recorded:
        tried.append(len(drafts))
        if len(tried) <= 2:
            raise DatabaseError("a bad value")
        if len(tried) == 3:
            return Recorded([ConversationHeld()])
        return record(drafts, **how)

    monkeypatch.setattr(journal_module, "record", fail_and_hold)
    drafts = [draft_of(user, conversation, body) for user, body in ((buyer, "1"), (seller, "2"))]
    drafts += many(buyer, conversation, 1, "3")
    assert len(receipts(await append_all(journal, drafts))) == 3
    bodies = Message.objects.filter(conversation=conversation, sequence__gt=1).order_by("sequence")
    assert [body async for body in bodies.values_list("body", flat=True)] == ["1", "2", "3"]


async def test_an_answer_that_cannot_be_given_costs_the_others_nothing(
    journal: Journal,
    conversation: Conversation,
    buyer: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, logger="messaging.journal")
    given: list[Outcome] = []

    def fail(outcome: Outcome) -> None:
        raise RuntimeError("gone")

    first, second = many(buyer, conversation, 2)
    journal.append(first, fail)
    journal.append(second, given.append)
    await asyncio.wait_for(journal.finish(), 5)
    assert [receipt.sequence for receipt in receipts(given)] == [3]


async def test_events_that_cannot_be_published_cost_nobody_their_answer(
    journal: Journal,
    conversation: Conversation,
    buyer: Any,
    batches: list[int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What came while that batch committed is answered too, and nobody has to write first."""
    caplog.set_level(logging.CRITICAL, logger="messaging.journal")

    def fail(events: Any) -> None:
        raise RuntimeError("a connection that takes nothing")

    monkeypatch.setattr(current_hub(), "publish", fail)
    outcomes = await append_all(journal, many(buyer, conversation, 600))
    assert batches == [500, 100]
    assert len(receipts(outcomes)) == 600


async def test_a_refusal_costs_the_others_nothing(
    journal: Journal, conversation: Conversation, buyer: Any, stranger: Any, seller: Any
) -> None:
    drafts = many(buyer, conversation, 4)
    drafts[1] = draft_of(stranger, conversation, "I do not belong here")
    drafts[2] = replace(drafts[2], conversation_id=uuid4())
    outcomes = await append_all(journal, drafts)
    codes = [getattr(outcome, "code", "stored") for outcome in outcomes]
    assert codes == ["stored", "not_found", "not_found", "stored"]
    assert await stored(conversation) == [1, 2, 3]


# --- Statements ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_number_of_statements_does_not_depend_on_the_number_of_drafts(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    others = [make_conversation(stranger, seller) for _ in range(20)]
    counts = []
    for count in (1, 300):
        drafts = many(buyer, conversation, count)
        for number, other in enumerate(others if count > 1 else []):
            drafts[number * 10] = draft_of(stranger, other, "hello", read_sequence=1)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            outcomes = record(drafts).outcomes
        assert len(receipts(outcomes)) == count
        counts.append(len([query for query in queries if "SAVEPOINT" not in query["sql"]]))
    assert counts[0] == counts[1] == 6
