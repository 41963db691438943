"""What a stored message does to the places of those who take part."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from messaging.models import Conversation, Participant
from messaging.services.record import record
from messaging.tests.crowd import (
    add_system_message,
    ask,
    change_place,
    draft_of,
    make_listing,
    place_of,
    record_many,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def other(seller: Any, stranger: Any) -> Conversation:
    """Of seller and stranger, about another listing."""
    return ask(make_listing(seller, "Brass lamp"), stranger)


def test_unread_counts_what_the_other_side_said(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    def unread() -> tuple[int, int]:
        return tuple(  # type: ignore[return-value]
            place_of(user, conversation).unread_count for user in (buyer, seller)
        )

    assert unread() == (0, 1)
    record([draft_of(user, conversation) for user in (buyer, seller, seller, buyer)])
    assert unread() == (2, 3)
    add_system_message(conversation, "Now reserved")
    record([draft_of(seller, conversation, read_sequence=4)])
    assert unread() == (3, 1)
    record([draft_of(seller, conversation, read_sequence=2), draft_of(buyer, conversation)])
    assert unread() == (4, 2)
    # A position past the head covers what was there before this message, not what follows in the
    # same batch.
    record([draft_of(seller, conversation, read_sequence=999), draft_of(buyer, conversation)])
    assert unread() == (5, 1)


def test_waiting_since_the_first_unanswered_message(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    Participant.objects.update(waiting_since=None)
    steps: list[tuple[int, Any, int | None, int | None]] = [
        (0, buyer, None, 0),
        (1, buyer, None, 0),
        (2, seller, 2, None),
        (3, seller, 2, None),
        (4, buyer, None, 4),
    ]
    for minute, user, buyer_since, seller_since in steps:
        with time_machine.travel(NOON + timedelta(minutes=minute), tick=False):
            record([draft_of(user, conversation)])
        for person, since in ((buyer, buyer_since), (seller, seller_since)):
            expected = None if since is None else NOON + timedelta(minutes=since)
            assert place_of(person, conversation).waiting_since == expected


def test_activity_moves_both_rows_and_brings_back_what_was_archived(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    Participant.objects.update(archived=True)
    with time_machine.travel(NOON, tick=False):
        record([draft_of(buyer, conversation, name="Ana María")])
    ana, sol = place_of(buyer, conversation), place_of(seller, conversation)
    assert (ana.last_activity_at, sol.last_activity_at) == (NOON, NOON)
    assert (ana.archived, sol.archived) == (True, False)
    assert (ana.name, sol.name) == ("Ana María", "Sol")


def test_nobody_elses_row_is_touched(
    conversation: Conversation, other: Conversation, buyer: Any
) -> None:
    before = list(Participant.objects.filter(conversation=other).order_by("pk").values())
    record_many(buyer, conversation, ["a", "b"])
    assert list(Participant.objects.filter(conversation=other).order_by("pk").values()) == before


# --- When to look whether somebody is owed a notification -----------------------------------------


def test_it_trails_the_burst_and_is_capped(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    Participant.objects.update(notify_at=None, notify_by=None)
    for second, due in [(0, 180), (100, 280), (200, 380), (419, 599), (421, 600), (599, 600)]:
        with time_machine.travel(NOON + timedelta(seconds=second), tick=False):
            record([draft_of(buyer, conversation)])
        sol = place_of(seller, conversation)
        assert sol.notify_at == NOON + timedelta(seconds=due)
        assert sol.notify_by == NOON + timedelta(seconds=600)
    assert place_of(buyer, conversation).notify_at is None


@pytest.mark.parametrize("reason", ["muted", "left", "inactive"])
def test_who_is_never_owed_one_gets_no_time(
    reason: str, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    Participant.objects.update(notify_at=None, notify_by=None)
    if reason == "inactive":
        type(seller).objects.filter(pk=seller.pk).update(is_active=False)
    else:
        change_place(
            seller, conversation, **({"muted": True} if reason == "muted" else {"left_at": NOON})
        )
    record([draft_of(buyer, conversation)])
    place = place_of(seller, conversation)
    assert (place.notify_at, place.notify_by) == (None, None)
    assert place.unread_count == (2 if reason == "muted" else 1)  # Nobody writes to nobody.
