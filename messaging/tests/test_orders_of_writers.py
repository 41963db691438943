"""Two batches and archiving over the same conversations: nobody waits for ever, nothing is lost.

The eighth of the orders that test_orders.py lists, on threads of their own.
"""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from messaging.models import Conversation, Participant
from messaging.notification_source import MessagingSource
from messaging.services.drafts import Draft, Receipt
from messaging.services.flags import archive_conversation
from messaging.services.record import record
from messaging.sessions import SessionStamp
from messaging.tests.crowd import draft_of, make_conversations, place_of
from messaging.tests.test_races import assert_counted_right, assert_no_gaps, at_once
from messaging.tests.test_record import stamp_of

Stamps = dict[Any, SessionStamp]

ROUNDS = 12
CONVERSATIONS = 8

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_batches_and_archiving_over_the_same_conversations(
    seller: Any, client_of: Callable[[Any], Client]
) -> None:
    """The buyers write in one order and the seller in the other, while the seller puts all of them
    away in a third and a sweep claims them, many rows in one statement; each in a session, which is
    held besides. A deadlock would be an error of PostgreSQL, and one of these threads would raise
    it."""
    made = make_conversations(seller, CONVERSATIONS)
    stamps = {user.pk: stamp_of(user, client_of) for user in [seller, *(row.buyer for row in made)]}
    shuffled = Random(7).sample(made, len(made))
    before = count_deadlocks()
    found = at_once(
        [
            write(lambda row: row.buyer, made, stamps),
            write(lambda row: seller, made[::-1], stamps),
            archive(seller, shuffled, stamps),
            archive(seller, made[::-1], stamps),
            claim,
        ]
    )
    assert [type(outcome) for outcome in found[0] + found[1]] == [Receipt] * (
        2 * ROUNDS * CONVERSATIONS
    )
    assert count_deadlocks() == before
    for row in made:
        assert_no_gaps(row)
        assert_counted_right(row)
        assert row.last_sequence == 1 + 2 * ROUNDS
    # Whatever came last between them: a message of the other side brings a conversation back.
    archive(seller, made, stamps)()
    assert all(place_of(seller, row).archived for row in made)
    record([draft_of(row.buyer, row) for row in made])
    assert not Participant.objects.filter(user=seller, archived=True).exists()


def write(
    who: Callable[[Conversation], Any], rows: list[Conversation], stamps: Stamps
) -> Callable[[], list[Any]]:
    """One batch over all of them, many times."""
    people = [who(row) for row in rows]

    def drafts() -> list[Draft]:
        pairs = zip(people, rows, strict=True)
        return [draft_of(person, row, session=stamps[person.pk]) for person, row in pairs]

    def run() -> list[Any]:
        return [outcome for _ in range(ROUNDS) for outcome in record(drafts()).outcomes]

    return run


def archive(person: Any, rows: list[Conversation], stamps: Stamps) -> Callable[[], list[Any]]:
    session = stamps[person.pk]

    def run() -> list[Any]:
        return [
            archive_conversation(
                user_id=person.pk, conversation_id=row.pk, on=True, session=session
            )
            for _ in range(ROUNDS)
            for row in rows
        ]

    return run


def claim() -> list[Any]:
    later = timezone.now() + timedelta(hours=1)
    return [MessagingSource().claim_due(now=later, limit=100) for _ in range(ROUNDS)]


def count_deadlocks() -> int:
    """Of this database, as PostgreSQL counts them; SQLite has one writer and none."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
