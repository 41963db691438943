"""Somebody is erased: what becomes of their conversations, for those who stay."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging import presence
from messaging.models import Block, Conversation, ConversationLook, Message, Participant
from messaging.services import erasure
from messaging.services.erasure import erase_person
from messaging.tests.conversing import make_conversation, say
from messaging.tests.sockets import Sockets


def place_of(user: Any, conversation: Conversation) -> Participant:
    return Participant.objects.get(user=user, conversation=conversation)


def test_their_place_stays_without_name_and_account(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    say(seller, conversation, "Yes.")
    Participant.objects.filter(user=buyer).update(starred=True, muted=True, archived=True)
    counts = erase_person(user=buyer)
    place = conversation.participants.get(role="buyer")
    assert (place.user, place.name, place.unread_count, place.notify_at) == (None, "", 0, None)
    assert (place.starred, place.muted, place.archived) == (False, False, False)
    conversation.refresh_from_db()
    assert (conversation.buyer, conversation.seller) == (None, seller)
    assert [row.body for row in conversation.messages.order_by("sequence")] == [
        "Is it still there?",
        "Yes.",
    ]
    assert counts == {"places": 1, "texts": 0, "blocks": 0}
    assert erase_person(user=buyer)["places"] == 0


def test_nobody_waits_for_an_answer_to_somebody_who_is_gone(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    still_waits = make_conversation(stranger, seller)
    say(stranger, still_waits, "And this one?")
    with_colleague = make_conversation(buyer, seller)
    with_colleague.participants.create(user=stranger, role="buyer", name="Teo")
    say(buyer, with_colleague, "For the two of us")
    assert place_of(seller, conversation).waiting_since
    erase_person(user=buyer)
    assert place_of(seller, conversation).waiting_since is None
    assert place_of(seller, still_waits).waiting_since
    assert place_of(seller, with_colleague).waiting_since
    assert place_of(seller, conversation).unread_count == 1


def test_many_conversations_go_in_batches(
    buyer: Any, seller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "BATCH", 2)
    made = [make_conversation(buyer, seller) for _ in range(5)]
    for one in made:
        for text in ("one", "two", "three"):
            say(buyer, one, text)
        say(seller, one, "four")
    counts = erase_person(user=buyer, blank_texts=True)
    assert (counts["places"], counts["texts"]) == (5, 15)
    assert not Participant.objects.filter(user=buyer).exists()
    assert set(Message.objects.filter(body="").values_list("sequence", flat=True)) == {1, 2, 3}


def test_blank_texts_are_numbered_changes_and_no_longer_unread(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    say(buyer, conversation, "Hello?")
    say(seller, conversation, "Yes.", read_sequence=0)
    Message.objects.filter(sequence=2).update(original_digest=b"x" * 16)
    assert place_of(seller, conversation).unread_count == 2
    erase_person(user=buyer, blank_texts=True)
    rows = list(conversation.messages.order_by("sequence"))
    assert [row.revision for row in rows] == [4, 5, 3]
    assert [bool(row.deleted_at) for row in rows] == [True, True, False]
    assert rows[1].original_digest is None
    conversation.refresh_from_db()
    assert conversation.revision == 5
    assert place_of(seller, conversation).unread_count == 0


def test_blocks_and_looks_do_not_name_them(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any
) -> None:
    Block.objects.create(blocker=buyer, blocked=seller)
    Block.objects.create(blocker=seller, blocked=buyer)
    kept = Block.objects.create(blocker=seller, blocked=stranger)
    ConversationLook.objects.create(
        conversation=conversation, user=buyer, name="Ana", first_sequence=1, last_sequence=1
    )
    assert erase_person(user=buyer)["blocks"] == 2
    assert list(Block.objects.all()) == [kept]
    look = ConversationLook.objects.get()
    assert (look.user, look.name) == (None, "")


def test_presence_is_forgotten(buyer: Any, seller: Any) -> None:
    presence.mark_online([buyer.pk, seller.pk])
    assert presence.find_last_seen([buyer.pk])
    erase_person(user=buyer)
    assert presence.find_online([buyer.pk, seller.pk]) == {seller.pk}
    assert presence.find_last_seen([buyer.pk]) == {}


def test_a_notification_that_is_due_goes_with_the_place(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    from notifications.sources import get_source

    say(seller, conversation, "Yes.")
    erase_person(user=buyer)
    later = timezone.now() + timedelta(hours=1)
    due = get_source("messaging").claim_due(now=later, limit=10)
    assert [one.recipient_id for one in due] == [seller.pk]


async def test_an_open_page_of_the_other_side_is_told(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    from messaging.runtime import in_database

    sol = await sockets.room(seller, conversation.pk)
    await in_database(lambda: erase_person(user=buyer))
    frame = await sol.receive()
    assert frame["conversation"] == str(conversation.pk)
    people = {one["role"]: (one["id"], one["username"]) for one in frame["participants"]}
    assert people["buyer"] == (None, "Former member")
