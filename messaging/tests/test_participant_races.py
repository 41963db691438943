"""Leaving and coming in while messages are being sent, each on a thread of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from messaging.exceptions import NotFound
from messaging.journals import current_journals
from messaging.models import Conversation, Message, Participant
from messaging.runtime import in_database
from messaging.services.drafts import Receipt
from messaging.services.participants import add_participant, leave_conversation
from messaging.services.reading import count_unread
from messaging.services.record import record
from messaging.tests.crowd import draft_of, place_of
from messaging.tests.sockets import Sockets
from messaging.tests.test_participants import add, leave, remove
from messaging.tests.test_races import assert_counted_right, assert_no_gaps, at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 6


def sending(user: Any, conversation: Conversation, count: int) -> Callable[[], list[Any]]:
    def send() -> list[Any]:
        return [record([draft_of(user, conversation)]).outcomes[0] for _ in range(count)]

    return send


def test_what_is_sent_while_leaving_is_stored_before_or_refused(
    conversation: Conversation, seller: Any, stranger: Any, staff: Any
) -> None:
    for _ in range(ROUNDS):
        add(stranger, conversation, by=staff)
        outcomes, _ = at_once(
            [
                sending(stranger, conversation, 8),
                lambda: leave_conversation(user_id=stranger.pk, conversation_id=conversation.pk),
            ]
        )
        stored = [isinstance(outcome, Receipt) for outcome in outcomes]
        assert stored == sorted(stored, reverse=True)  # Nothing after the first refusal.
        assert all(isinstance(one, NotFound) for one in outcomes if not isinstance(one, Receipt))
        assert place_of(stranger, conversation).unread_count == 0
        assert_no_gaps(conversation)


def test_who_comes_in_while_messages_are_sent_misses_none(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any
) -> None:
    def come_in() -> Participant:
        return add_participant(
            conversation_id=conversation.pk, user_id=stranger.pk, role="seller", added_by=staff
        )

    for _ in range(ROUNDS):
        at_once([sending(buyer, conversation, 10), come_in, sending(seller, conversation, 3)])
        place = place_of(stranger, conversation)
        assert place.unread_count == count_unread(place, place.read_sequence)
        assert_no_gaps(conversation)
        assert_counted_right(conversation)
        leave(stranger, conversation)


def test_put_in_twice_at_once_is_one_place(
    conversation: Conversation, stranger: Any, staff: Any
) -> None:
    at_once([lambda: add(stranger, conversation, by=staff)] * 6)
    assert Participant.objects.filter(user=stranger).count() == 1


async def test_a_queued_message_of_who_was_taken_out_is_refused(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, staff: Any
) -> None:
    """It waited in the journal while its author was taken out."""
    ana = await sockets.room(buyer, conversation.pk)
    journals = current_journals()
    outcomes: list[Any] = []
    draft = draft_of(seller, conversation, "Too late")
    await in_database(remove, seller, conversation, by=staff)
    journals.append(draft, outcomes.append)
    await ana.expect("participants")
    await journals.finish()
    assert await ana.has_heard_all()
    assert [type(outcome) for outcome in outcomes] == [NotFound]
    assert await Message.objects.filter(conversation=conversation).acount() == 1
