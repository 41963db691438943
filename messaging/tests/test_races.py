"""What must hold when several do the same thing at the same moment, each on a thread of its own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from random import Random
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from messaging.exceptions import MessagingError, RateLimited
from messaging.models import Conversation, Message, Participant
from messaging.notification_source import MessagingSource
from messaging.services.conversations import start_conversation
from messaging.services.drafts import Receipt
from messaging.services.reading import count_unread, mark_read
from messaging.services.record import record
from messaging.tests.crowd import draft_of, make_conversations, make_listing, place_of

THREADS = 8
ROUNDS = 6

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(functions: Iterable[Callable[[], Any]]) -> list[Any]:
    """Start all of them together; what each gave, or the refusal it raised."""
    called = list(functions)
    barrier = Barrier(len(called))

    def run(function: Callable[[], Any]) -> Any:
        try:
            be_patient()
            barrier.wait(10)
            return function()
        except MessagingError as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(called)) as executor:
        return list(executor.map(run, called))


def be_patient() -> None:
    """Threads of one process wait for each other's turn at Python besides, on a busy machine longer
    than the product waits for a lock."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '60s'")


def assert_no_gaps(conversation: Conversation) -> None:
    conversation.refresh_from_db()
    rows = list(conversation.messages.order_by("sequence").values_list("sequence", "revision"))
    assert rows == [(number, number) for number in range(1, len(rows) + 1)]
    assert (conversation.last_sequence, conversation.revision) == (len(rows), len(rows))


def assert_counted_right(conversation: Conversation) -> None:
    for place in Participant.objects.filter(conversation=conversation):
        assert place.unread_count == count_unread(place, place.read_sequence)


def test_eight_threads_on_one_conversation_leave_no_gap(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    def send(number: int) -> Callable[[], list[Any]]:
        people = (buyer, seller) if number % 2 else (seller, buyer)

        def run() -> list[Any]:
            return [
                outcome
                for turn in range(ROUNDS)
                for outcome in record(
                    [draft_of(user, conversation, f"{number}.{turn}") for user in people]
                ).outcomes
            ]

        return run

    batches = at_once(send(number) for number in range(THREADS))
    outcomes = [outcome for batch in batches for outcome in batch]
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert sorted(outcome.sequence for outcome in outcomes) == list(
        range(2, 2 + THREADS * ROUNDS * 2)
    )
    assert_no_gaps(conversation)
    assert_counted_right(conversation)
    assert place_of(buyer, conversation).unread_count == THREADS * ROUNDS


def test_the_same_message_from_eight_threads_is_stored_once(
    conversation: Conversation, buyer: Any
) -> None:
    for _ in range(ROUNDS):
        send = partial(record, [draft_of(buyer, conversation)])
        outcomes = [recorded.outcomes[0] for recorded in at_once([send] * THREADS)]
        assert len({outcome.id for outcome in outcomes}) == 1
        assert sorted(outcome.duplicate for outcome in outcomes) == [False] + [True] * (THREADS - 1)
    assert Message.objects.count() == 1 + ROUNDS
    assert_no_gaps(conversation)


def test_two_batches_in_opposite_order_do_not_lock_each_other_out(seller: Any) -> None:
    made = make_conversations(seller, 6)

    def send(order: list[Conversation]) -> Callable[[], int]:
        def run() -> int:
            for _ in range(15):
                outcomes = record([draft_of(seller, row) for row in order]).outcomes
                assert all(isinstance(outcome, Receipt) for outcome in outcomes)
            return len(order)

        return run

    shuffled = Random(7).sample(made, len(made))
    assert at_once([send(made), send(made[::-1]), send(shuffled)]) == [6, 6, 6]
    for row in made:
        assert_no_gaps(row)
        assert row.last_sequence == 46


def test_reading_while_messages_arrive_counts_right(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    def send() -> None:
        for turn in range(ROUNDS * 3):
            record([draft_of(buyer, conversation, str(turn))])

    def read() -> None:
        for _ in range(ROUNDS * 3):
            head = Conversation.objects.get().last_sequence
            mark_read(user_id=seller.pk, conversation_id=conversation.pk, sequence=head)

    at_once([send, read, send, read])
    assert_counted_right(conversation)
    assert_no_gaps(conversation)
    read()
    assert place_of(seller, conversation).unread_count == 0


def test_asking_twice_at_once_opens_one_conversation(listing: Any, buyer: Any) -> None:
    receipts = at_once(
        partial(
            start_conversation,
            listing=listing,
            buyer=buyer,
            body=f"Question {number}",
            client_message_id=uuid4(),
        )
        for number in range(4)
    )
    assert sorted(receipt.sequence for receipt in receipts) == [1, 2, 3, 4]
    assert_no_gaps(Conversation.objects.get())


def test_the_limit_on_opening_holds_for_requests_at_once(seller: Any, buyer: Any) -> None:
    listings = [make_listing(seller, f"Chair number {number}") for number in range(8)]
    outcomes = at_once(
        partial(
            start_conversation,
            listing=listing,
            buyer=buyer,
            body="Hello",
            client_message_id=uuid4(),
        )
        for listing in listings
    )
    assert sum(isinstance(outcome, RateLimited) for outcome in outcomes) == 3
    assert Conversation.objects.count() == 5


def test_a_transaction_that_fails_leaves_nothing(conversation: Conversation, buyer: Any) -> None:
    def store_and_fail() -> None:
        with transaction.atomic():
            record([draft_of(buyer, conversation)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store_and_fail()
    assert_no_gaps(conversation)
    assert (conversation.last_sequence, Message.objects.count()) == (1, 1)


def test_two_workers_never_claim_the_same(seller: Any) -> None:
    make_conversations(seller, 12)
    now = timezone.now() + timedelta(minutes=10)

    def take() -> list[str]:
        try:
            return [
                due.key for _ in range(4) for due in MessagingSource().claim_due(now=now, limit=2)
            ]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as executor:
        tasks = [executor.submit(take) for _ in range(4)]
        found = [key for task in tasks for key in task.result()]
    assert (len(found), len(set(found))) == (12, 12)


def test_a_row_that_is_being_written_is_not_waited_for(seller: Any) -> None:
    if connection.vendor != "postgresql":
        return  # SQLite locks no rows: the whole database waits for one writer.
    first, second = make_conversations(seller, 2)
    now = timezone.now() + timedelta(minutes=10)

    def take() -> list[str]:
        try:
            return [due.key for due in MessagingSource().claim_due(now=now, limit=100)]
        finally:
            connections.close_all()

    with transaction.atomic(), ThreadPoolExecutor(1) as executor:
        Participant.objects.select_for_update().get(user=seller, conversation=first)
        assert executor.submit(take).result(timeout=4) == [str(second.pk)]
    assert [due.key for due in MessagingSource().claim_due(now=now, limit=100)] == [str(first.pk)]
