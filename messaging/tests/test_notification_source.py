"""Messaging's side of notifications: who is due, what is still owed, what it says."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from messaging import presence
from messaging.models import Block, Conversation, Message, Participant
from messaging.notification_source import MessagingSource
from messaging.services.reading import mark_read
from messaging.tests.conversing import say
from messaging.tests.crowd import (
    add_system_message,
    change_place,
    make_conversations,
    place_of,
    record_many,
)
from notifications.sources import Due, Owed, Span, get_source

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

source = MessagingSource()


@pytest.fixture
def burst(conversation: Conversation) -> Conversation:
    """The buyer's question of noon, of which the seller is to be told three minutes later."""
    Participant.objects.filter(role="seller").update(
        notify_at=NOON + 3 * MINUTE, notify_by=NOON + 10 * MINUTE
    )
    return conversation


def claim(at: datetime, limit: int = 100) -> list[Due]:
    return source.claim_due(now=at, limit=limit)


def claim_one(at: datetime) -> Due:
    [due] = claim(at)
    return due


def look(user: Any, conversation: Conversation, first: int = 1, last: int = 1) -> Owed:
    (owed,) = source.look([Span(user.pk, str(conversation.pk), first, last)])
    return owed


def content(user: Any, conversation: Conversation, first: int = 1, last: int = 999) -> Any:
    return source.content(Span(user.pk, str(conversation.pk), first, last))


def test_it_is_registered() -> None:
    assert isinstance(get_source("messaging"), MessagingSource)


# --- Claiming and settling ------------------------------------------------------------------------


def test_what_is_due_is_claimed_once_and_for_a_minute(burst: Conversation, seller: Any) -> None:
    assert claim(NOON + 3 * MINUTE - timedelta(microseconds=1)) == []
    due = claim_one(NOON + 3 * MINUTE)
    assert (due.recipient_id, due.key, due.kind) == (seller.pk, str(burst.pk), "new_message")
    assert (due.first_sequence, due.last_sequence) == (1, 1)
    assert claim(NOON + 3.9 * MINUTE) == []
    again = claim_one(NOON + 4 * MINUTE)  # Whoever took it has died.
    assert (again.key, again.first_sequence, again.last_sequence) == (due.key, 1, 1)


def test_the_longest_due_come_first_and_only_so_many(seller: Any) -> None:
    made = make_conversations(seller, 5)
    for number, conversation in enumerate(made):
        change_place(seller, conversation, notify_at=NOON - number * MINUTE)
    assert [due.key for due in claim(NOON, limit=2)] == [str(made[4].pk), str(made[3].pk)]
    assert len(claim(NOON, limit=10)) == 3


def test_claiming_takes_a_fixed_number_of_queries(
    seller: Any, django_assert_num_queries: Any
) -> None:
    make_conversations(seller, 10)
    # A savepoint here (2): the rows, their lease, and how far their conversations have come.
    with django_assert_num_queries(5):
        assert len(claim(timezone.now() + 10 * MINUTE)) == 10


def test_done_is_done_until_somebody_writes_again(
    burst: Conversation, seller: Any, buyer: Any
) -> None:
    due = claim_one(NOON + 3 * MINUTE)
    source.settle({due: None})
    place = place_of(seller, burst)
    assert (place.notify_at, place.notify_by, place.notified_sequence) == (None, None, 1)
    assert claim(NOON + 600 * MINUTE) == []
    with time_machine.travel(NOON + 5 * MINUTE, tick=False):
        say(buyer, burst, "Another one")
    place = place_of(seller, burst)
    assert (place.notify_at, place.notify_by) == (NOON + 8 * MINUTE, NOON + 15 * MINUTE)
    following = claim_one(NOON + 8 * MINUTE)
    assert (following.first_sequence, following.last_sequence) == (2, 2)


def test_looking_again_later_keeps_the_burst(burst: Conversation, seller: Any) -> None:
    due = claim_one(NOON + 3 * MINUTE)
    source.settle({due: NOON + 5 * MINUTE})
    assert claim(NOON + 4.5 * MINUTE) == []
    assert claim_one(NOON + 5 * MINUTE).first_sequence == 1
    assert place_of(seller, burst).notified_sequence == 0


@pytest.mark.parametrize("again", [None, NOON + 60 * MINUTE])
def test_a_time_set_meanwhile_stays(
    again: datetime | None, burst: Conversation, seller: Any, buyer: Any
) -> None:
    due = claim_one(NOON + 3 * MINUTE)
    with time_machine.travel(NOON + 3.5 * MINUTE, tick=False):
        say(buyer, burst, "One more thing")
    source.settle({due: again})
    place = place_of(seller, burst)
    assert place.notify_at == NOON + 6.5 * MINUTE
    assert place.notified_sequence == (1 if again is None else 0)
    assert claim_one(NOON + 6.5 * MINUTE).first_sequence == (2 if again is None else 1)


def test_a_late_settling_does_not_take_back_what_another_has_done(
    burst: Conversation, seller: Any, buyer: Any
) -> None:
    late = claim_one(NOON + 3 * MINUTE)
    say(buyer, burst, "Two")
    change_place(seller, burst, notify_at=NOON + 4 * MINUTE)
    source.settle({claim_one(NOON + 4 * MINUTE): None})
    source.settle({late: None})
    assert place_of(seller, burst).notified_sequence == 2
    source.settle({late: NOON + 9 * MINUTE})
    assert place_of(seller, burst).notify_at is None


# --- Looking --------------------------------------------------------------------------------------


def test_owed_until_it_is_read(conversation: Conversation, seller: Any, buyer: Any) -> None:
    say(buyer, conversation, "Two")
    found = look(seller, conversation)
    assert (found.state, found.connected, found.last_sequence) == ("owed", False, 2)
    mark_read(user_id=seller.pk, conversation_id=conversation.pk, sequence=1)
    assert look(seller, conversation).state == "owed"
    mark_read(user_id=seller.pk, conversation_id=conversation.pk, sequence=2)
    assert look(seller, conversation).state == "read"
    say(buyer, conversation, "Three")
    assert look(seller, conversation, 1, 2).last_sequence == 3
    assert look(seller, conversation, 3, 3).state == "owed"


def test_ones_own_system_and_deleted_messages_are_owed_to_nobody(
    conversation: Conversation, seller: Any, buyer: Any
) -> None:
    mark_read(user_id=seller.pk, conversation_id=conversation.pk, sequence=1)
    say(seller, conversation, "My own")
    add_system_message(conversation, "Now reserved")
    assert look(seller, conversation, 2, 3).state == "read"
    say(buyer, conversation, "Taken back")
    assert look(seller, conversation, 2, 4).state == "owed"
    Message.objects.filter(sequence=4).update(deleted_at=timezone.now())
    assert look(seller, conversation, 2, 4).state == "read"


def test_what_was_told_already_is_not_owed_again(conversation: Conversation, seller: Any) -> None:
    assert look(seller, conversation, first=1).state == "owed"
    assert look(seller, conversation, first=2, last=2).state == "read"


def test_muted_blocked_left_gone(
    conversation: Conversation, seller: Any, buyer: Any, stranger: Any
) -> None:
    change_place(seller, conversation, muted=True)
    assert look(seller, conversation).state == "muted"
    change_place(seller, conversation, muted=False)
    for pair in ((seller, buyer), (buyer, seller)):
        block = Block.objects.create(blocker=pair[0], blocked=pair[1])
        assert look(seller, conversation).state == "blocked"
        block.delete()
    Block.objects.create(blocker=stranger, blocked=seller)
    assert look(seller, conversation).state == "owed"
    change_place(seller, conversation, left_at=timezone.now())
    assert look(seller, conversation).state == "left"
    assert look(stranger, conversation).state == "gone"
    assert look(seller, Conversation(pk=uuid4())).state == "gone"


def test_connected_says_so_whatever_is_owed(conversation: Conversation, seller: Any) -> None:
    presence.mark_online([seller.pk])
    assert look(seller, conversation) == Owed("owed", True, last_sequence=1)
    change_place(seller, conversation, muted=True)
    assert look(seller, conversation) == Owed("muted", True, last_sequence=1)


@pytest.mark.parametrize("change", ["", "muted", "left", "read", "blocked", "away", "gone"])
def test_who_waits_is_found_among_many_as_by_a_look(
    conversation: Conversation, seller: Any, buyer: Any, change: str
) -> None:
    presence.mark_online([seller.pk, buyer.pk])
    pair = (seller.pk, str(uuid4() if change == "gone" else conversation.pk))
    if change == "muted":
        change_place(seller, conversation, muted=True)
    elif change == "left":
        change_place(seller, conversation, left_at=timezone.now())
    elif change == "read":
        mark_read(user_id=seller.pk, conversation_id=conversation.pk, sequence=1)
    elif change == "blocked":
        Block.objects.create(blocker=buyer, blocked=seller)
    elif change == "away":
        presence.mark_offline(seller.pk)
    nobody = (buyer.pk, str(conversation.pk))  # Their own message is no news to them.
    assert source.find_waiting([pair, nobody]) == (set() if change else {pair})


def test_finding_them_takes_two_queries(seller: Any, django_assert_num_queries: Any) -> None:
    presence.mark_online([seller.pk])
    made = make_conversations(seller, 20)
    with django_assert_num_queries(2):
        assert len(source.find_waiting([(seller.pk, str(row.pk)) for row in made])) == 20


# --- What it says ---------------------------------------------------------------------------------


def test_ten_unread_after_two_of_context(
    conversation: Conversation, seller: Any, buyer: Any
) -> None:
    say(seller, conversation, "Yes, it is")
    record_many(buyer, conversation, [f"Question {number}" for number in range(3, 18)])
    mark_read(user_id=seller.pk, conversation_id=conversation.pk, sequence=3)
    shown = content(seller, conversation)
    assert (shown.title, shown.url, shown.other_name) == (
        "Walnut sideboard",
        f"/conversation/{conversation.pk}/",
        "Ana",
    )
    assert [(row.body, row.mine, row.new, row.name) for row in shown.messages[:3]] == [
        ("Yes, it is", True, False, "Sol"),
        ("Question 3", False, False, "Ana"),
        ("Question 4", False, True, "Ana"),
    ]
    assert [row.body for row in shown.messages[2:]] == [f"Question {n}" for n in range(4, 14)]
    assert shown.more_count == 4
    moments = [row.created_at for row in shown.messages]
    assert moments == sorted(moments)


def test_only_the_span_and_nothing_that_is_not_said(
    conversation: Conversation, seller: Any, buyer: Any
) -> None:
    record_many(buyer, conversation, ["Two", "Three", "Four", "Five"])
    add_system_message(conversation, "Now reserved")
    Message.objects.filter(sequence__in=[2, 4]).update(deleted_at=timezone.now())
    shown = content(seller, conversation, 3, 4)
    assert [(row.body, row.new) for row in shown.messages] == [
        ("Is it still there?", False),
        ("Three", True),
    ]
    assert content(seller, conversation, 1, 999).more_count == 0
    assert [row.body for row in content(seller, conversation).messages] == [
        "Is it still there?",
        "Three",
        "Five",
    ]


def test_who_and_what_is_gone_keep_their_names(
    conversation: Conversation, seller: Any, buyer: Any, stranger: Any, listing: Any
) -> None:
    listing.delete()
    buyer.delete()
    shown = content(seller, conversation)
    assert (shown.title, shown.other_name, shown.messages[0].name) == (
        "Walnut sideboard",
        "Ana",
        "Ana",
    )
    assert look(seller, conversation).state == "owed"
    assert content(stranger, conversation).messages == []


def test_nothing_unread_shows_nothing(conversation: Conversation, buyer: Any) -> None:
    shown = content(buyer, conversation)
    assert (shown.messages, shown.more_count, shown.title) == ([], 0, "Walnut sideboard")
