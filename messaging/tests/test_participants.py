"""Leaving, being put in and being taken out: who hears what from then on, and what is left."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

from messaging.exceptions import Forbidden, Invalid, NotFound
from messaging.models import Block, Conversation, Participant
from messaging.notification_source import MessagingSource
from messaging.selectors.connections import read_inboxes
from messaging.selectors.conversations import count_unread_conversations
from messaging.services.conversations import start_conversation
from messaging.services.participants import (
    add_participant,
    leave_conversation,
    remove_participant,
)
from messaging.services.reading import count_unread, mark_read
from messaging.tests.browsing import get_json, url
from messaging.tests.conversing import say
from messaging.tests.crowd import add_system_message, place_of
from notifications.sources import Span

pytestmark = pytest.mark.django_db


def leave(user: Any, conversation: Conversation) -> None:
    leave_conversation(user_id=user.pk, conversation_id=conversation.pk)


def add(user: Any, conversation: Conversation, by: Any, role: str = "seller") -> Participant:
    return add_participant(conversation_id=conversation.pk, user_id=user.pk, role=role, added_by=by)


def remove(user: Any, conversation: Conversation, by: Any) -> None:
    remove_participant(conversation_id=conversation.pk, user_id=user.pk, removed_by=by)


def ask_again(listing: Any, buyer: Any, body: str = "Once more?", key: Any = None) -> Any:
    return start_conversation(
        listing=listing, buyer=buyer, body=body, client_message_id=key or uuid4()
    )


# --- Leaving --------------------------------------------------------------------------------------


def test_who_leaves_has_it_nowhere_any_more(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    sol, ana = client_of(seller), client_of(buyer)
    assert place_of(seller, conversation).notify_at is not None
    before = read_inboxes([seller.pk])[seller.pk]
    assert before.unread == 1

    leave(seller, conversation)

    place = place_of(seller, conversation)
    assert (place.has_left, place.removed) == (True, False)
    assert (place.unread_count, place.waiting_since, place.notify_at, place.notify_by) == (
        0,
        None,
        None,
        None,
    )
    assert get_json(sol, "/conversations/").json()["results"] == []
    assert get_json(sol, "/seller/").json()["results"] == []
    assert count_unread_conversations(seller) == 0
    assert read_inboxes([seller.pk])[seller.pk].cursor != before.cursor
    assert get_json(sol, url(conversation)).status_code == 404
    assert len(get_json(ana, "/conversations/").json()["results"]) == 1
    assert get_json(ana, url(conversation)).json()["last_sequence"] == 1


def test_nothing_is_owed_to_who_has_left(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    source = MessagingSource()
    span = Span(seller.pk, str(conversation.pk), 1, 1)
    assert [owed.state for owed in source.look([span])] == ["owed"]
    leave(seller, conversation)
    assert [owed.state for owed in source.look([span])] == ["left"]
    assert source.claim_due(now=timezone.now().replace(year=2100), limit=9) == []


def test_leaving_twice_is_like_a_stranger_leaving(
    conversation: Conversation, buyer: Any, stranger: Any
) -> None:
    leave(buyer, conversation)
    for user in (buyer, stranger):
        with pytest.raises(NotFound):
            leave(user, conversation)
    with pytest.raises(NotFound):
        leave_conversation(user_id=buyer.pk, conversation_id=uuid4())


def test_who_is_left_alone_may_not_write(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    leave(seller, conversation)
    with pytest.raises(Forbidden):
        say(buyer, conversation, "Anybody?")
    with pytest.raises(NotFound):
        say(seller, conversation, "I am gone")
    assert place_of(seller, conversation).waiting_since is None


def test_nobody_waits_where_nobody_is(
    conversation: Conversation, listing: Any, buyer: Any, seller: Any, stranger: Any, staff: Any
) -> None:
    asked = place_of(seller, conversation).waiting_since
    assert asked is not None
    add(stranger, conversation, by=staff, role="buyer")
    leave(buyer, conversation)
    assert place_of(seller, conversation).waiting_since == asked
    leave(stranger, conversation)
    assert place_of(seller, conversation).waiting_since is None
    ask_again(listing, buyer)
    assert place_of(seller, conversation).waiting_since == asked


# --- Coming back ----------------------------------------------------------------------------------


def test_a_buyer_who_asks_again_comes_back(
    conversation: Conversation, listing: Any, buyer: Any, seller: Any, client_of: Any
) -> None:
    say(seller, conversation, "Yes, it is.")
    leave(buyer, conversation)
    page = client_of(buyer).get(listing.get_absolute_url())
    assert page.context["existing_conversation"] is None
    assert page.context["can_ask"]

    receipt = ask_again(listing, buyer)

    assert (receipt.conversation_id, receipt.sequence) == (conversation.pk, 3)
    place = place_of(buyer, conversation)
    assert (place.has_left, place.unread_count) == (False, 1)
    assert place.unread_count == count_unread(place, place.read_sequence)
    assert place_of(seller, conversation).unread_count == 2
    thread = get_json(client_of(buyer), url(conversation)).json()
    assert [message["sequence"] for message in thread["results"]] == [1, 2, 3]


def test_a_retry_of_what_is_stored_is_answered_and_brings_nobody_back(
    listing: Any, buyer: Any
) -> None:
    key = uuid4()
    first = ask_again(listing, buyer, "Is it there?", key)
    conversation = Conversation.objects.get(pk=first.conversation_id)
    leave(buyer, conversation)
    again = ask_again(listing, buyer, "Is it there?", key)
    assert (again.duplicate, again.id) == (True, first.id)
    assert place_of(buyer, conversation).has_left


@pytest.mark.parametrize("why", ["sold", "alone", "closed", "removed"])
def test_what_is_refused_brings_nobody_back(
    conversation: Conversation, listing: Any, buyer: Any, seller: Any, staff: Any, why: str
) -> None:
    if why == "removed":
        remove(buyer, conversation, by=staff)
    else:
        leave(buyer, conversation)
    if why == "sold":
        type(listing).objects.update(state="sold")
        listing.refresh_from_db()
    if why == "alone":
        leave(seller, conversation)
    if why == "closed":
        Conversation.objects.update(state="closed")
    with pytest.raises(Forbidden):
        ask_again(listing, buyer)
    assert place_of(buyer, conversation).has_left
    conversation.refresh_from_db()
    assert conversation.last_sequence == 1


# --- Putting in -----------------------------------------------------------------------------------


def test_a_colleague_reads_all_and_has_counts_of_their_own(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any, client_of: Any
) -> None:
    say(seller, conversation, "Yes.")
    waiting = say(buyer, conversation, "What does it weigh?")
    add_system_message(conversation, "Now reserved")
    say(buyer, conversation, "And how deep is it?")

    place = add(stranger, conversation, by=staff)

    assert (place.role, place.read_sequence, place.unread_count) == ("seller", 2, 2)
    assert place.waiting_since == waiting.created_at
    assert place.notify_at is not None
    teo = client_of(stranger)
    thread = get_json(teo, url(conversation)).json()
    assert [message["sequence"] for message in thread["results"]] == [1, 2, 3, 4, 5]
    [row] = get_json(teo, "/seller/").json()["results"]
    assert (row["unread"], row["other"]["username"]) == (2, "Ana")
    mark_read(user_id=stranger.pk, conversation_id=conversation.pk, sequence=5)
    assert place_of(seller, conversation).unread_count == 3
    say(stranger, conversation, "Forty kilos.")
    for user, unread in ((buyer, 2), (seller, 4), (stranger, 0)):
        place = place_of(user, conversation)
        assert place.unread_count == unread == count_unread(place, place.read_sequence)
    # One of the selling side has answered: nobody waits for either of them.
    assert place_of(seller, conversation).waiting_since is None
    assert place_of(stranger, conversation).waiting_since is None
    assert place_of(buyer, conversation).waiting_since is not None
    [row] = get_json(client_of(buyer), "/conversations/").json()["results"]
    assert row["last_message"]["username"] == "Teo"
    assert row["other"]["username"] == "Sol"


def test_twice_is_once_and_the_other_side_is_refused(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any
) -> None:
    first = add(stranger, conversation, by=staff)
    assert add(stranger, conversation, by=staff).joined_at == first.joined_at
    for user, role in ((buyer, "seller"), (seller, "buyer"), (stranger, "buyer")):
        with pytest.raises(Invalid):
            add(user, conversation, by=staff, role=role)
    assert conversation.participants.count() == 3


@pytest.mark.parametrize("role", ["agent", "", "SELLER"])
def test_there_are_two_roles(
    conversation: Conversation, stranger: Any, staff: Any, role: str
) -> None:
    with pytest.raises(Invalid):
        add(stranger, conversation, by=staff, role=role)


def test_nobody_can_be_put_in_who_cannot_sign_in(
    conversation: Conversation, stranger: Any, staff: Any
) -> None:
    get_user_model()._default_manager.filter(pk=stranger.pk).update(is_active=False)
    with pytest.raises(Invalid):
        add(stranger, conversation, by=staff)
    with pytest.raises(Invalid):
        add_participant(
            conversation_id=conversation.pk, user_id=2**40, role="seller", added_by=staff
        )


def test_with_a_colleague_there_nobody_is_alone(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any, client_of: Any
) -> None:
    add(stranger, conversation, by=staff)
    leave(seller, conversation)
    say(buyer, conversation, "Are you there?")
    say(stranger, conversation, "I am.")
    thread = client_of(buyer).get(url(conversation)).context["thread"]
    assert (thread.can_write, thread.other.name) == (True, "Teo")
    assert place_of(seller, conversation).unread_count == 0


def test_a_block_is_between_two_and_goes_with_who_leaves(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any
) -> None:
    add(stranger, conversation, by=staff)
    Block.objects.create(blocker=buyer, blocked=seller)
    for user in (buyer, seller):
        with pytest.raises(Forbidden):
            say(user, conversation, "You?")
    say(stranger, conversation, "I may.")
    remove(seller, conversation, by=staff)
    say(buyer, conversation, "Now I may, too.")
    source = MessagingSource()
    (owed,) = source.look([Span(buyer.pk, str(conversation.pk), 1, 9)])
    assert owed.state == "owed"


# --- Who may --------------------------------------------------------------------------------------


def test_who_may_not_changes_nothing(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any
) -> None:
    person: Any = get_user_model()._default_manager.get(pk=stranger.pk)
    get_user_model()._default_manager.filter(pk=stranger.pk).update(is_staff=True)
    for user in (buyer, seller, person):
        with pytest.raises(Forbidden):
            add(stranger, conversation, by=user)
        with pytest.raises(Forbidden):
            remove(buyer, conversation, by=user)
    assert conversation.participants.filter(left_at__isnull=True).count() == 2

    person.user_permissions.add(Permission.objects.get(codename="change_participant"))
    with pytest.raises(Forbidden):  # A permission without being staff.
        add(stranger, conversation, by=person)
    agent = get_user_model()._default_manager.get(pk=stranger.pk)
    remove(buyer, conversation, by=agent)
    add(buyer, conversation, by=agent, role="buyer")
    assert not place_of(buyer, conversation).has_left


def sellers_may(*, user: Any, conversation: Conversation) -> bool:
    return bool(conversation.seller_id == user.pk)


def test_the_host_decides_who_may(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any, settings: Any
) -> None:
    settings.MESSAGING_PARTICIPANT_POLICY = f"{__name__}.sellers_may"
    for user in (buyer, staff, stranger):
        with pytest.raises(Forbidden):
            add(stranger, conversation, by=user)
    assert add(stranger, conversation, by=seller).role == "seller"
    remove(stranger, conversation, by=seller)


def test_who_was_taken_out_is_put_in_again(
    conversation: Conversation, stranger: Any, staff: Any, buyer: Any, client_of: Any
) -> None:
    add(stranger, conversation, by=staff)
    mark_read(user_id=stranger.pk, conversation_id=conversation.pk, sequence=1)
    remove(stranger, conversation, by=staff)
    assert get_json(client_of(stranger), url(conversation)).status_code == 404
    with pytest.raises(NotFound):
        remove(stranger, conversation, by=staff)
    say(buyer, conversation, "Hello?")
    with pytest.raises(Invalid):
        add(stranger, conversation, by=staff, role="buyer")
    place = add(stranger, conversation, by=staff)
    assert (place.removed, place.has_left, place.unread_count) == (False, False, 1)
    assert conversation.participants.count() == 3
