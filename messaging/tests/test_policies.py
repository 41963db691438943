"""Rules that have no door yet, and those that every door asks."""

import sys
import time
import unicodedata
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from messaging import policies, text
from messaging.exceptions import Empty, Forbidden, Invalid, MessagingError, TooLong
from messaging.listings import listing_class
from messaging.models import Conversation, Message, Participant
from messaging.tests.conversing import say

JSON = {"Accept": "application/json"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def message(conversation: Conversation) -> Message:
    return Message.objects.get(conversation=conversation, sequence=1)


@pytest.mark.parametrize(
    ("check", "minutes"), [(policies.check_can_edit, 5), (policies.check_can_delete, 15)]
)
def test_own_messages_change_for_some_minutes(
    message: Message, conversation: Conversation, check: Any, minutes: int
) -> None:
    author = Participant.objects.get(conversation=conversation, role="buyer")
    other = Participant.objects.get(conversation=conversation, role="seller")
    until = message.created_at + timedelta(minutes=minutes)
    check(message=message, participant=author, now=until)
    with pytest.raises(Forbidden):
        check(message=message, participant=author, now=until + timedelta(seconds=1))
    with pytest.raises(Forbidden):
        check(message=message, participant=other, now=message.created_at)
    message.deleted_at = message.created_at
    with pytest.raises(Forbidden):
        check(message=message, participant=author, now=message.created_at)


@pytest.mark.parametrize("how", ["deactivated", "deleted"])
def test_nobody_writes_to_nobody(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any, how: str
) -> None:
    client: Client = client_of(buyer)
    page = f"/conversation/{conversation.pk}/"
    assert 'name="message"' in client.get(page).content.decode()
    say(buyer, conversation, "You are still here")
    if how == "deleted":
        seller.delete()
    else:
        type(seller).objects.filter(pk=seller.pk).update(is_active=False)
    answer = client.post(f"{page}new_message/", {"message": "Hello?"}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    shown = client.get(page).content.decode()
    assert "no longer here" in shown
    assert "You are still here" in shown
    assert 'name="message"' not in shown


def test_a_seller_who_is_away_for_good_cannot_be_asked(
    listing: Any, buyer: Any, seller: Any, client_of: Any
) -> None:
    type(seller).objects.filter(pk=seller.pk).update(is_active=False)
    path = f"{listing.get_absolute_url()}conversation/"
    fields = {"message": "Is it there?", "client_message_id": str(uuid4())}
    assert client_of(buyer).post(path, fields, headers=JSON).status_code == 403
    assert Conversation.objects.count() == 0


def test_two_questions_wait_for_the_same_sign_in(
    listing: Any, seller: Any, buyer: Any, client: Client
) -> None:
    second = listing_class().objects.create(
        seller=seller, title="Lamp", slug="lamp", text="Brass.", price=35, currency="EUR"
    )
    for asked in (listing, second):
        path = f"{asked.get_absolute_url()}conversation/"
        assert client.post(path, {"message": f"About {asked.title}"}).status_code == 303
    client.force_login(buyer)
    assert client.get(f"{second.get_absolute_url()}conversation/").status_code == 303
    assert Message.objects.get().body == "About Lamp"
    assert "About Walnut sideboard" in client.get(listing.get_absolute_url()).content.decode()
    client.get(f"{listing.get_absolute_url()}conversation/")
    assert Message.objects.count() == 2


@pytest.mark.parametrize("cookie", ['"\\000aaaaaaaaaaaa"', "'; drop", "a" * 500, "\xe9"])
def test_any_session_cookie_is_somebody_signed_out(client: Client, cookie: str) -> None:
    answer = client.get("/conversations/", headers={"Cookie": f"sessionid={cookie}"})
    assert answer.status_code == 302


def test_a_form_that_is_no_text_is_refused(
    conversation: Conversation, buyer: Any, client_of: Any
) -> None:
    path = f"/conversation/{conversation.pk}/new_message/"
    form = "application/x-www-form-urlencoded"
    client: Client = client_of(buyer)
    for body, status in ((b"message=%ff%fe", 400), (b"message=%EF%BF%BD+caf%C3%A9", 201)):
        answer = client.post(path, body, content_type=form, headers=JSON)
        assert answer.status_code == status, body


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ("\u200b\u200b", Empty),
        ("\u202e \ufeff", Empty),
        ("x" * 4_001, TooLong),
        (" " * 70_000 + "x" * 17_000, TooLong),
        ("e" + "\u0301\u0316" * 16, Invalid),
        ("e" + ("\u0301\u0316" * 15 + "\x7f") * 2, Invalid),
        ("\u0f73" * 31, Invalid),
    ],
    ids=["nothing", "invisible", "long", "long and blank", "accents", "joined", "two in one"],
)
def test_what_cannot_be_shown_is_refused(body: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        text.normalise_body(body)


def test_no_character_but_these_begins_with_a_mark_and_is_none() -> None:
    """They would make long runs of marks that are not counted as such."""
    hidden = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if not unicodedata.combining(character)
        and unicodedata.combining(unicodedata.normalize("NFD", character)[0])
    ]
    assert "".join(hidden) == text.MARKS_IN_ONE


@pytest.mark.parametrize(
    "hostile",
    ["\u0301\u0316" * 8_000, ("\u0301\u0316" * 15 + "\x7f") * 516, "\u0f73" * 16_000],
    ids=["in a row", "around control characters", "two in one"],
)
def test_marks_take_no_longer_than_letters(hostile: str) -> None:
    """Sorting them takes the square: without a bound hundreds of times as long."""
    assert process_seconds(hostile) < 20 * process_seconds("\u00e9x" * 8_000)


def process_seconds(body: str) -> float:
    """At best."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        with suppress(MessagingError):
            text.normalise_body(body)
        taken.append(time.process_time() - began)
    return min(taken)


def test_what_can_be_shown_is_kept() -> None:
    for body in ("x" * 4_000, "e" + "\u0316" * 30, "👩\u200d🚀", "שלום", "Hello\n\tyou"):
        assert text.normalise_body(f"  {body}\n") == body
