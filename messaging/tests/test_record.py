"""The one function that writes messages: what it stores, what it refuses, what it counts."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging import policies
from messaging.exceptions import MessagingError
from messaging.models import Block, Conversation, Message
from messaging.services.drafts import Outcome, Receipt
from messaging.services.record import record
from messaging.sessions import SessionStamp
from messaging.tests.crowd import (
    ask,
    change_place,
    draft_of,
    make_conversations,
    make_listing,
    place_of,
    record_many,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def other(seller: Any, stranger: Any) -> Conversation:
    """Of seller and stranger, about another listing."""
    return ask(make_listing(seller, "Brass lamp"), stranger)


def stamp_of(user: Any, client_of: Any) -> SessionStamp:
    session = client_of(user).session
    return SessionStamp(session.session_key, session[HASH_SESSION_KEY])


def codes(outcomes: list[Outcome]) -> list[str]:
    """`stored`, `stored before`, or the code of the refusal."""
    return [
        outcome.code
        if isinstance(outcome, MessagingError)
        else ("stored before" if outcome.duplicate else "stored")
        for outcome in outcomes
    ]


def record_one(*arguments: Any, **fields: Any) -> str:
    return codes(record([draft_of(*arguments, **fields)]).outcomes)[0]


# --- Numbers --------------------------------------------------------------------------------------


def test_a_batch_numbers_each_conversation_in_the_order_of_its_drafts(
    conversation: Conversation, other: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    drafts = [
        draft_of(seller, other, "a"),
        draft_of(buyer, conversation, "b"),
        draft_of(stranger, other, "c"),
        draft_of(seller, conversation, "d"),
    ]
    receipts = [outcome for outcome in record(drafts).outcomes if isinstance(outcome, Receipt)]
    assert [(row.conversation_id, row.sequence, row.revision) for row in receipts] == [
        (other.pk, 2, 2),
        (conversation.pk, 2, 2),
        (other.pk, 3, 3),
        (conversation.pk, 3, 3),
    ]
    assert [row.client_message_id for row in receipts] == [row.client_message_id for row in drafts]
    for receipt, body in zip(receipts, "abcd", strict=True):
        assert Message.objects.get(pk=receipt.id).body == body
    for row in Conversation.objects.all():
        assert (row.last_sequence, row.revision) == (3, 3)
        assert row.last_message_at == receipts[0].created_at


def test_after_an_edit_the_sequence_and_the_revision_go_their_own_ways(
    conversation: Conversation, buyer: Any
) -> None:
    Conversation.objects.update(revision=5)
    [receipt] = record_many(buyer, conversation, ["Hello"])
    message = Message.objects.get(pk=receipt.id)
    assert (message.sequence, message.revision, message.created_revision) == (2, 6, 6)


def test_any_text_is_stored_as_it_is(conversation: Conversation, buyer: Any) -> None:
    bodies = ["🪑", "'; DROP TABLE x; --", '"\\', "{}", "[1]", "null", "7", "a\n\tb", "%s %(x)s"]
    record_many(buyer, conversation, bodies)
    stored = Message.objects.filter(sequence__gt=1).order_by("sequence")
    assert list(stored.values_list("body", flat=True)) == bodies


@pytest.mark.parametrize("size", [1, 50])
def test_a_batch_takes_a_fixed_number_of_statements(
    size: int, conversation: Conversation, other: Conversation, seller: Any, client_of: Any
) -> None:
    stamp = stamp_of(seller, client_of)
    drafts = [
        draft_of(seller, row, read_sequence=1, session=stamp)
        for row in (conversation, other)
        for _ in range(size)
    ]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        record(drafts)
    # A savepoint here (2): sessions, conversations, participants, retries; insert, heads, places.
    assert len(queries) == 9


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no pipelines.")
def test_the_connection_is_left_as_it_was(conversation: Conversation, buyer: Any) -> None:
    """Others use it next: what they ask is not to be prepared unless the project says so."""
    link: Any = connection.connection
    before = link.prepare_threshold
    record_many(buyer, conversation, ["Hello"])
    assert link.prepare_threshold == before
    assert link.pgconn.pipeline_status == 0


# --- Retries and twins ----------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["blocked", "left", "closed", "inactive", "signed out"])
def test_what_is_stored_is_answered_to_who_may_no_longer_write(
    reason: str, conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    stamp = stamp_of(buyer, client_of)
    draft = draft_of(buyer, conversation, session=stamp)
    [stored] = record([draft]).outcomes
    if reason == "blocked":
        Block.objects.create(blocker=seller, blocked=buyer)
    elif reason == "left":
        change_place(buyer, conversation, left_at=timezone.now())
    elif reason == "closed":
        Conversation.objects.update(state=Conversation.State.CLOSED)
    elif reason == "inactive":
        type(buyer).objects.filter(pk=buyer.pk).update(is_active=False)
    else:
        Session.objects.all().delete()
    [again] = record([draft]).outcomes
    assert isinstance(stored, Receipt)
    assert isinstance(again, Receipt)
    assert (again.id, again.sequence, again.duplicate) == (stored.id, 2, True)
    key = draft.client_message_id
    fields = {"client_message_id": key, "session": stamp}
    assert record_one(buyer, conversation, "Other words", **fields) == "conflict"
    fields["client_message_id"] = uuid4()
    refusals = {"left": "not_found", "inactive": "unauthenticated", "signed out": "unauthenticated"}
    assert record_one(buyer, conversation, **fields) == refusals.get(reason, "forbidden")
    assert Message.objects.count() == 2


@pytest.mark.parametrize("deleted", [False, True])
def test_after_an_edit_a_retry_is_compared_with_what_was_first_sent(
    deleted: bool, conversation: Conversation, buyer: Any
) -> None:
    draft = draft_of(buyer, conversation, "First")
    record([draft])
    message = Message.objects.get(sequence=2)
    message.original_digest = policies.digest("First")
    message.body = "" if deleted else "Mended"
    message.edited_at = timezone.now()
    message.deleted_at = timezone.now() if deleted else None
    message.save()
    key = draft.client_message_id
    found = [
        record_one(buyer, conversation, body, client_message_id=key)
        for body in ("First", "Mended", "Another")
    ]
    assert found == ["stored before", "conflict", "conflict"]
    message.refresh_from_db()
    assert message.body == ("" if deleted else "Mended")


def test_an_id_is_its_senders_in_one_conversation(
    conversation: Conversation, other: Conversation, buyer: Any, seller: Any
) -> None:
    key = uuid4()
    places = [(buyer, conversation), (seller, conversation), (seller, other)]
    for user, where in places:
        assert record_one(user, where, client_message_id=key) == "stored"
    for user, where in places:
        assert record_one(user, where, client_message_id=key) == "stored before"


def test_twins_in_one_batch_are_one_message(conversation: Conversation, buyer: Any) -> None:
    key = uuid4()
    bodies = ["Hello", "Hello", "Goodbye", "Hello"]
    recorded = record(
        [draft_of(buyer, conversation, body, client_message_id=key) for body in bodies]
    )
    assert codes(recorded.outcomes) == ["stored", "stored before", "conflict", "stored before"]
    assert {outcome.id for outcome in recorded.outcomes if isinstance(outcome, Receipt)} == {
        Message.objects.get(sequence=2).pk
    }
    assert len(recorded.events) == 1
    assert (Message.objects.count(), place_of(buyer, conversation).unread_count) == (2, 0)


# --- Refusals -------------------------------------------------------------------------------------


def test_a_refused_draft_costs_the_others_nothing(
    conversation: Conversation, other: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    Block.objects.create(blocker=stranger, blocked=seller)
    missing = Conversation(pk=uuid4())
    recorded = record(
        [
            draft_of(buyer, conversation),
            draft_of(stranger, conversation),
            draft_of(seller, other),
            draft_of(buyer, missing),
            draft_of(seller, conversation),
        ]
    )
    assert codes(recorded.outcomes) == ["stored", "not_found", "forbidden", "not_found", "stored"]
    sequences = Message.objects.filter(conversation=conversation).values_list("sequence", flat=True)
    assert sorted(sequences) == [1, 2, 3]
    assert (other.messages.count(), len(recorded.events)) == (1, 2)


def test_only_the_two_who_block_are_kept_apart(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    Block.objects.create(blocker=stranger, blocked=seller)
    Block.objects.create(blocker=buyer, blocked=stranger)
    assert record_one(seller, conversation) == "stored"
    Block.objects.create(blocker=buyer, blocked=seller)
    assert record_one(seller, conversation) == "forbidden"
    assert record_one(buyer, conversation) == "forbidden"


@pytest.mark.parametrize("end", ["log-out", "expired", "password", "another's"])
def test_a_session_that_ended_refuses(
    end: str, conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    stamp = stamp_of(buyer, client_of)
    assert record_one(buyer, conversation, session=stamp) == "stored"
    if end == "log-out":
        Session.objects.filter(pk=stamp.key).delete()
    elif end == "expired":
        Session.objects.filter(pk=stamp.key).update(expire_date=timezone.now())
    elif end == "password":
        buyer.set_password("another long password")
        buyer.save()
    else:
        stamp = SessionStamp(stamp.key, stamp_of(seller, client_of).auth_hash)
    assert record_one(buyer, conversation, session=stamp) == "unauthenticated"
    assert record_one(buyer, conversation, session=stamp_of(buyer, client_of)) == "stored"


def test_the_receipt_is_what_is_in_the_database(
    conversation: Conversation, buyer: Any, client_of: Any
) -> None:
    key = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    [receipt] = record([draft_of(buyer, conversation, client_message_id=key)]).outcomes
    assert isinstance(receipt, Receipt)
    message = Message.objects.get(pk=receipt.id)
    assert (message.created_at, message.sequence) == (receipt.created_at, receipt.sequence)
    assert message.client_message_id == key
    client: Client = client_of(buyer)
    assert str(key) in client.get(f"/conversation/{conversation.pk}/").content.decode()


def test_many_conversations_in_one_batch(seller: Any) -> None:
    made = make_conversations(seller, 12)
    recorded = record([draft_of(seller, row, str(n)) for n, row in enumerate(made * 3)])
    assert codes(recorded.outcomes) == ["stored"] * 36
    for row in made:
        assert list(row.messages.order_by("sequence").values_list("sequence", "revision")) == [
            (1, 1),
            (2, 2),
            (3, 3),
            (4, 4),
        ]
