"""COMMIT leaves with what is written, where the transaction is `record`'s own.

SQLite's transactions are Django's to end.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from messaging.models import Conversation, Message
from messaging.services import record_postgresql
from messaging.services.drafts import Receipt
from messaging.services.record import record
from messaging.tests.crowd import draft_of, record_many

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no pipelines."),
]


@pytest.fixture
def seen_elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many messages others saw each time when Django was about to commit."""
    counts: list[int] = []
    commit = connection.commit
    with psycopg.connect(**_parameters(), autocommit=True) as other:

        def look_and_commit() -> None:
            row = other.execute("SELECT count(*) FROM messaging_message").fetchone()
            counts.append(row[0] if row else -1)
            commit()

        monkeypatch.setattr(connection, "commit", look_and_commit)
        yield counts


def _parameters() -> dict[str, Any]:
    return {**connection.get_connection_params(), "cursor_factory": None, "context": None}


def test_others_see_it_before_django_commits(
    conversation: Conversation, buyer: Any, seen_elsewhere: list[int]
) -> None:
    before = Message.objects.count()
    record_many(buyer, conversation, ["Hello", "Still there?"])
    assert seen_elsewhere == [before + 2]


def test_what_is_part_of_something_larger_ends_with_it(
    conversation: Conversation, buyer: Any, seen_elsewhere: list[int]
) -> None:
    before = Message.objects.count()
    with transaction.atomic():
        record_many(buyer, conversation, ["Hello"])
        transaction.set_rollback(True)
    assert Message.objects.count() == before
    with transaction.atomic():
        record_many(buyer, conversation, ["Hello"])
        assert seen_elsewhere == []
    assert seen_elsewhere == [before]


def test_a_transaction_of_the_projects_own_ends_with_it(
    conversation: Conversation, buyer: Any
) -> None:
    """Where it has Django begin none: `AUTOCOMMIT` off, or `set_autocommit`."""
    before = Message.objects.count()
    transaction.set_autocommit(False)
    try:
        record_many(buyer, conversation, ["Hello"])
        assert Message.objects.count() == before + 1
        transaction.rollback()
        assert Message.objects.count() == before
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


def test_names_that_come_after_are_part_of_it(
    conversation: Conversation, buyer: Any, seen_elsewhere: list[int]
) -> None:
    before = Message.objects.count()
    record([draft_of(buyer, conversation, name="Berta the second")])
    assert seen_elsewhere == [before]
    conversation.refresh_from_db()
    assert "Berta the second" in conversation.names


def test_the_connection_goes_on(conversation: Conversation, buyer: Any) -> None:
    """Outside of transactions, as Django left it."""
    record_many(buyer, conversation, ["Hello"])
    assert connection.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert connection.get_autocommit()
    assert not connection.in_atomic_block
    assert record_many(buyer, conversation, ["Hello again"])


@pytest.mark.parametrize(
    ("statement", "broken", "error"),
    [
        # What fails among the statements, and what PostgreSQL looks at only when it commits.
        ("UPDATE_PARTICIPANTS", "SELECT 1 / 0", DatabaseError),
        ("INSERT_MESSAGES", "d.sequence, d.revision, d.revision, -1", IntegrityError),
    ],
)
def test_nothing_is_stored_of_what_fails(
    statement: str,
    broken: str,
    error: type[Exception],
    conversation: Conversation,
    buyer: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draft = draft_of(buyer, conversation)
    before = Message.objects.count()
    whole = getattr(record_postgresql, statement)
    wrong = whole.replace("d.sequence, d.revision, d.revision, d.sender_id", broken)
    if wrong == whole:
        wrong = f"{broken} WHERE 0 = cardinality(%s::text[])" + " + cardinality(%s::text[])" * 9
    with monkeypatch.context() as broken_for_now:
        broken_for_now.setattr(record_postgresql, statement, wrong)
        with pytest.raises(error):
            record([draft])
    assert Message.objects.count() == before
    [outcome] = record([draft]).outcomes
    assert isinstance(outcome, Receipt)
    assert not outcome.duplicate
