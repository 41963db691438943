"""Who waits for an answer: only people who could get one."""

from typing import Any

import pytest

from messaging.models import Conversation
from messaging.selectors.conversations import count_waiting_conversations
from messaging.services.erasure import erase_person
from messaging.tests.browsing import get_json
from messaging.tests.conversing import say
from messaging.tests.crowd import place_of
from messaging.tests.test_participants import add, ask_again, leave

pytestmark = pytest.mark.django_db


def test_nobody_waits_for_a_newcomer_where_nobody_is(
    conversation: Conversation, listing: Any, buyer: Any, seller: Any, stranger: Any, staff: Any
) -> None:
    asked = place_of(seller, conversation).waiting_since
    leave(buyer, conversation)
    add(stranger, conversation, by=staff)
    assert place_of(stranger, conversation).waiting_since is None
    assert count_waiting_conversations(stranger) == 0
    ask_again(listing, buyer)
    for user in (seller, stranger):
        assert place_of(user, conversation).waiting_since == asked


def test_nor_where_the_account_is_gone(
    conversation: Conversation, buyer: Any, stranger: Any, staff: Any
) -> None:
    erase_person(user=buyer)
    add(stranger, conversation, by=staff)
    assert place_of(stranger, conversation).waiting_since is None


def test_a_deactivated_account_needs_no_reply_until_it_is_back(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any, client_of: Any
) -> None:
    def waiting() -> tuple[int, int]:
        rows = get_json(client_of(seller), "/seller/").json()["results"]
        return count_waiting_conversations(seller), len(rows)

    assert waiting() == (1, 1)
    buyer.is_active = False
    buyer.save()
    assert waiting() == (0, 0)
    add(stranger, conversation, by=staff, role="buyer")  # Somebody who could read an answer.
    assert waiting() == (1, 1)
    leave(stranger, conversation)
    assert waiting() == (0, 0)
    buyer.is_active = True
    buyer.save()
    assert waiting() == (1, 1)
    say(seller, conversation, "Yes")
    assert waiting() == (0, 0)


def test_the_other_side_is_whoever_is_there(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any, client_of: Any
) -> None:
    """In rows and in threads: the colleague, and not the account that is gone."""
    add(stranger, conversation, by=staff)
    erase_person(user=seller)
    ana = client_of(buyer)
    (row,) = get_json(ana, "/conversations/").json()["results"]
    assert row["other"]["username"] == "Teo"
    assert ana.get(f"/conversation/{conversation.pk}/").context["thread"].other.name == "Teo"
    leave(stranger, conversation)
    (row,) = get_json(ana, "/conversations/").json()["results"]
    assert row["other"]["username"] == "Former member"
