"""Edits, deletions and blocks against everything else, each on a thread of its own."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from messaging import rate_limits
from messaging.exceptions import Forbidden, MessagingError
from messaging.models import Block, Conversation, Message, Participant
from messaging.services.blocks import block_person, unblock_person
from messaging.services.changes import ChangeReceipt, delete_message, edit_message
from messaging.services.conversations import start_conversation
from messaging.services.drafts import Receipt
from messaging.services.flags import archive_conversation
from messaging.services.reading import count_unread, mark_read
from messaging.services.record import record
from messaging.tests.crowd import draft_of, make_listing, place_of, record_many
from messaging.tests.test_races import at_once

ROUNDS = 6

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "take_send", lambda user_id: lambda: None)


def edit(user: Any, conversation: Conversation, body: str, sequence: int = 1) -> ChangeReceipt:
    return edit_message(
        user_id=user.pk, conversation_id=conversation.pk, sequence=sequence, body=body
    )


def delete(user: Any, conversation: Conversation, sequence: int = 1) -> ChangeReceipt:
    return delete_message(user_id=user.pk, conversation_id=conversation.pk, sequence=sequence)


def send(user: Any, conversation: Conversation, body: str = "Hello") -> Any:
    return record([draft_of(user, conversation, body)]).outcomes[0]


def assert_sound(conversation: Conversation, revision: int) -> None:
    """No revision twice, none beyond the head, no sequence missing, every count right."""
    conversation.refresh_from_db()
    rows = list(conversation.messages.order_by("sequence").values_list("sequence", "revision"))
    assert [sequence for sequence, _ in rows] == list(range(1, conversation.last_sequence + 1))
    assert len({found for _, found in rows}) == len(rows)
    assert max(found for _, found in rows) <= conversation.revision == revision
    for place in Participant.objects.filter(conversation=conversation):
        assert place.unread_count == count_unread(place, place.read_sequence)


def test_edits_among_sends_leave_no_gap(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    def edit_often(number: int) -> list[int]:
        return [edit(buyer, conversation, f"{number}.{turn}").revision for turn in range(ROUNDS)]

    def send_often(user: Any) -> list[int]:
        return [send(user, conversation).revision for _ in range(ROUNDS)]

    calls: list[Callable[[], list[int]]] = [partial(edit_often, n) for n in range(3)]
    calls += [partial(send_often, user) for user in (buyer, seller, seller)]
    revisions = sorted(revision for found in at_once(calls) for revision in found)
    assert revisions == list(range(2, 2 + 6 * ROUNDS))
    assert_sound(conversation, 1 + 6 * ROUNDS)


def test_an_edit_never_brings_back_what_is_deleted(conversation: Conversation, buyer: Any) -> None:
    sequences = [1, *(receipt.sequence for receipt in record_many(buyer, conversation, "abcde"))]
    for sequence in sequences:
        head = Conversation.objects.get().revision
        edited, *deleted = at_once(
            [
                partial(edit, buyer, conversation, "still here", sequence),
                partial(delete, buyer, conversation, sequence),
                partial(delete, buyer, conversation, sequence),
            ]
        )
        assert isinstance(edited, ChangeReceipt | Forbidden)
        assert sorted(receipt.duplicate for receipt in deleted) == [False, True]
        assert len({receipt.revision for receipt in deleted}) == 1
        message = Message.objects.get(sequence=sequence)
        assert (message.body, message.deleted_at is not None) == ("", True)
        assert_sound(conversation, head + 1 + isinstance(edited, ChangeReceipt))


def test_deleting_while_messages_come_and_are_read_counts_right(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    record_many(buyer, conversation, [str(number) for number in range(2 * ROUNDS)])

    def delete_all() -> None:
        for sequence in range(1, 2 * ROUNDS + 2):
            delete(buyer, conversation, sequence)

    def send_some() -> None:
        for _ in range(ROUNDS):
            send(buyer, conversation)

    def read() -> None:
        for _ in range(ROUNDS):
            head = Conversation.objects.get().last_sequence
            mark_read(user_id=seller.pk, conversation_id=conversation.pk, sequence=head - 2)

    at_once([delete_all, send_some, read, delete_all])
    assert_sound(conversation, 1 + 2 * ROUNDS + ROUNDS + 2 * ROUNDS + 1)


def test_archiving_while_messages_come_locks_nobody_out(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    def archive() -> None:
        for turn in range(ROUNDS * 2):
            archive_conversation(
                user_id=seller.pk, conversation_id=conversation.pk, on=turn % 2 == 0
            )

    def send_some() -> list[Any]:
        return [send(buyer, conversation) for _ in range(ROUNDS)]

    found = at_once([archive, send_some, archive, send_some])
    assert all(isinstance(outcome, Receipt) for part in (found[1], found[3]) for outcome in part)
    send(buyer, conversation)
    assert place_of(seller, conversation).archived is False


# --- Blocks ---------------------------------------------------------------------------------------


def test_nothing_is_stored_after_a_block_is_answered(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    """What `record` is storing at that moment is there when the block is; then nothing comes."""
    for _ in range(ROUNDS):
        heads: list[int] = []

        def block_and_look(heads: list[int] = heads) -> None:
            block_person(user_id=seller.pk, other_id=buyer.pk)
            heads.append(Conversation.objects.get().revision)

        def write() -> list[Any]:
            sent = [send(buyer, conversation) for _ in range(ROUNDS)]
            return [*sent, *refusals_of(partial(edit, buyer, conversation, str(uuid4())))]

        at_once([write, block_and_look, write])
        assert Conversation.objects.get().revision == heads[0]
        assert isinstance(send(buyer, conversation), Forbidden)
        unblock_person(user_id=seller.pk, other_id=buyer.pk)
    assert_sound(conversation, Conversation.objects.get().revision)


def refusals_of(function: Callable[[], Any]) -> list[MessagingError]:
    try:
        function()
    except MessagingError as refusal:
        return [refusal]
    return []


def test_a_block_waits_for_what_is_being_stored(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    """A draft waits in the journal while the block commits: it is refused, on both databases."""
    blocked = at_once([partial(block_person, user_id=seller.pk, other_id=buyer.pk)])
    assert blocked == [None]
    drafts = [draft_of(buyer, conversation), draft_of(seller, conversation)]
    assert [type(outcome) for outcome in record(drafts).outcomes] == [Forbidden, Forbidden]
    if connection.vendor != "postgresql":
        return  # SQLite has one writer at a time: there is nothing to wait for.
    unblock_person(user_id=seller.pk, other_id=buyer.pk)
    with transaction.atomic():
        send(buyer, conversation)
        with pytest.raises(TimeoutError):
            block_within(0.5, seller, buyer)
        assert not Block.objects.exists()


def block_within(seconds: float, user: Any, other: Any) -> None:
    """From another connection, which gives up after a while."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{int(seconds * 1000)}ms'")
        try:
            block_person(user_id=user.pk, other_id=other.pk)
        except MessagingError as refusal:
            raise TimeoutError from refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as executor:
        executor.submit(run).result(10)


def test_a_conversation_opened_beside_a_block_is_open_before_it_or_not_at_all(
    conversation: Conversation, buyer: Any, seller: Any, settings: Any
) -> None:
    settings.MESSAGING_SEND_LIMITS = []
    for number in range(ROUNDS):
        listing = make_listing(seller, f"Chair number {number}")
        heads: list[int] = []

        def block_and_look(heads: list[int] = heads) -> None:
            block_person(user_id=buyer.pk, other_id=seller.pk)
            heads.append(Message.objects.count())

        start = partial(
            start_conversation,
            listing=listing,
            buyer=buyer,
            body="Hello",
            client_message_id=uuid4(),
        )
        outcome, _ = at_once([start, block_and_look])
        assert isinstance(outcome, Receipt | Forbidden)
        assert Message.objects.count() == heads[0]
        unblock_person(user_id=buyer.pk, other_id=seller.pk)


def test_two_who_block_each_other_at_once_do_not_wait_for_each_other(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    for number in range(4):
        make = start_conversation
        listing = make_listing(seller, f"Lamp {number}")
        make(listing=listing, buyer=buyer, body="Hello", client_message_id=uuid4())
    for _ in range(ROUNDS):
        found = at_once(
            [
                partial(block_person, user_id=seller.pk, other_id=buyer.pk),
                partial(block_person, user_id=buyer.pk, other_id=seller.pk),
                partial(record, [draft_of(buyer, row) for row in Conversation.objects.all()]),
            ]
        )
        assert found[:2] == [None, None]
        assert Block.objects.count() == 2
        for one, other in ((seller, buyer), (buyer, seller)):
            unblock_person(user_id=one.pk, other_id=other.pk)
