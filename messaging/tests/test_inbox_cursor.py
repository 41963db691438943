"""The cursor of an inbox: whatever the layer loses, the next heartbeat shows that it happened."""

from collections.abc import Callable
from typing import Any

import pytest

from messaging.models import Conversation, Participant
from messaging.selectors.connections import read_inboxes
from messaging.services.changes import delete_message, edit_message
from messaging.services.erasure import erase_person
from messaging.services.flags import star_conversation
from messaging.services.reading import mark_read
from messaging.tests.conversing import say
from messaging.tests.test_participants import add, leave

pytestmark = pytest.mark.django_db


def cursor_of(user: Any) -> str:
    return read_inboxes([user.pk])[user.pk].cursor


def first(user: Any, conversation: Conversation) -> dict[str, Any]:
    return {"user_id": user.pk, "conversation_id": conversation.pk, "sequence": 1}


CHANGES: dict[str, Callable[..., Any]] = {
    "a message": lambda c, buyer, **_: say(buyer, c, "Hello"),
    "an edit": lambda c, buyer, **_: edit_message(**first(buyer, c), body="Other words"),
    "a deletion": lambda c, buyer, **_: delete_message(**first(buyer, c)),
    "a newcomer": lambda c, stranger, staff, **_: add(stranger, c, by=staff),
    "somebody who leaves": lambda c, buyer, **_: leave(buyer, c),
    "an erased account": lambda c, buyer, **_: erase_person(user=buyer),
    "an erased text": lambda c, buyer, **_: erase_person(user=buyer, blank_texts=True),
}


@pytest.mark.parametrize("what", CHANGES)
def test_it_moves_for_everybody_and_for_nobody_else(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any, what: str
) -> None:
    mark_read(**first(seller, conversation))  # What is read has no count that would move it.
    before, of_others = cursor_of(seller), cursor_of(staff)
    CHANGES[what](conversation, buyer=buyer, stranger=stranger, staff=staff)
    assert cursor_of(seller) != before
    assert cursor_of(staff) == of_others


def test_ones_own_marks_and_reading_move_only_ones_own(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    seen, of_buyer = {cursor_of(seller)}, cursor_of(buyer)
    mark_read(**first(seller, conversation))
    seen.add(cursor_of(seller))
    for on in (True, False):
        star_conversation(user_id=seller.pk, conversation_id=conversation.pk, on=on)
        seen.add(cursor_of(seller))
    assert len(seen) == 4  # To take a mark back is a change as well.
    assert cursor_of(buyer) == of_buyer


def test_it_stands_still_when_nothing_changes(
    conversation: Conversation, seller: Any, stranger: Any
) -> None:
    mark_read(**first(seller, conversation))
    star_conversation(user_id=seller.pk, conversation_id=conversation.pk, on=True)
    before = cursor_of(seller)
    mark_read(**first(seller, conversation))
    star_conversation(user_id=seller.pk, conversation_id=conversation.pk, on=True)
    assert cursor_of(seller) == before
    assert cursor_of(stranger) == "0"


def test_leaving_and_coming_in_never_gives_an_old_one(
    conversation: Conversation, stranger: Any, staff: Any
) -> None:
    seen = [cursor_of(stranger)]
    for _ in range(3):
        add(stranger, conversation, by=staff)
        seen.append(cursor_of(stranger))
        leave(stranger, conversation)
        seen.append(cursor_of(stranger))
    assert len(set(seen)) == len(seen)


def test_processes_of_the_release_before_can_still_write(conversation: Conversation) -> None:
    """They know nothing of the column, so the database has its default."""
    assert Participant._meta.get_field("changes").db_default is not None
