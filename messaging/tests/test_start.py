"""Asking from a listing's page, signed in."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from messaging import rate_limits
from messaging.models import Block, Conversation, Message, Participant
from messaging.tests.browsing import JSON, RECEIPT, Page, get_json, post_json
from messaging.tests.conversing import say
from messaging.tests.crowd import make_listing

PATH = "/listings/walnut-sideboard/conversation/"


@pytest.fixture
def ana(listing: Any, buyer: Any, client_of: Any) -> Client:
    client: Client = client_of(buyer)
    return client


def joined(user: Any, hours_ago: float) -> None:
    type(user).objects.filter(pk=user.pk).update(
        date_joined=timezone.now() - timedelta(hours=hours_ago)
    )


def have_opened(user: Any, count: int, *, minutes_apart: float) -> None:
    """Conversations that were opened before, the newest one minute ago."""
    now = timezone.now() - timedelta(minutes=1)
    Conversation.objects.bulk_create(
        Conversation(
            buyer=user,
            listing_title="Another thing",
            created_at=now - timedelta(minutes=number * minutes_apart),
        )
        for number in range(count)
    )


def test_one_step_from_the_listing_to_the_conversation(ana: Client, buyer: Any) -> None:
    page = Page(ana.get("/listings/walnut-sideboard/"))
    assert list(page.text_fields) == ["message"]
    form = {"message": "Hello Sol", "client_message_id": page.hidden("client_message_id")}

    response = ana.post(PATH, form)

    [message] = Message.objects.all()
    assert response.status_code == 303
    assert response.headers["Location"] == f"/conversation/{message.conversation_id}/"
    assert (message.sequence, message.revision, message.body) == (1, 1, "Hello Sol")
    assert str(message.client_message_id) == form["client_message_id"]
    assert "Hello Sol" in ana.get(response.headers["Location"]).content.decode()
    roles = Participant.objects.order_by("role").values_list("role", "name", "unread_count")
    assert list(roles) == [("buyer", "Ana", 0), ("seller", "Sol", 1)]


def test_the_same_form_twice_is_one_message(ana: Client) -> None:
    form = {"message": "Hello", "client_message_id": str(uuid4())}
    answers = [ana.post(PATH, form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert Message.objects.count() == 1
    ana.post(PATH, {**form, "client_message_id": str(uuid4())})
    assert Message.objects.count() == 2


def test_asking_again_goes_on_in_the_same_conversation(
    ana: Client, conversation: Conversation
) -> None:
    response = ana.post(PATH, {"message": "And the price?"})
    assert response.headers["Location"] == f"/conversation/{conversation.pk}/"
    assert Conversation.objects.count() == 1
    assert list(conversation.messages.order_by("sequence").values_list("sequence", "body")) == [
        (1, "Is it still there?"),
        (2, "And the price?"),
    ]


def test_json_says_stored_now_stored_before_or_stored_otherwise(ana: Client) -> None:
    key = str(uuid4())
    now = post_json(ana, PATH, message="Hello", client_message_id=key)
    again = post_json(ana, PATH, message=" Hello\r\n", client_message_id=key.upper())
    other = post_json(ana, PATH, message="Goodbye", client_message_id=key)
    assert [now.status_code, again.status_code, other.status_code] == [201, 200, 409]
    first = now.json()
    assert set(first) == RECEIPT
    assert first["conversation"] == str(Conversation.objects.get().pk)
    assert (first["sequence"], first["revision"], first["duplicate"]) == (1, 1, False)
    assert first["client_message_id"] == key
    assert again.json() == {**first, "duplicate": True}
    conflict = other.json()
    assert (conflict.pop("code"), bool(conflict.pop("detail"))) == ("conflict", True)
    assert conflict == {**first, "duplicate": True}
    assert Message.objects.count() == 1


def test_the_clients_id_is_optional(ana: Client) -> None:
    answers = [post_json(ana, PATH, message="Hello") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["client_message_id"] != answers[1].json()["client_message_id"]


def test_a_json_body_gets_the_page_unless_json_is_asked_for(ana: Client) -> None:
    body = {"message": "Hello", "client_message_id": str(uuid4())}
    for accept in ("*/*", "text/html"):
        answer = ana.post(PATH, body, content_type=JSON, headers={"Accept": accept})
        assert answer.status_code == 303
    form = ana.post(PATH, body, headers={"Accept": "text/html, application/json;q=0.9"})
    assert (form.status_code, form.json()["duplicate"]) == (200, True)


def test_nobody_asks_themselves(listing: Any, seller: Any, client_of: Any) -> None:
    sol = client_of(seller)
    answer = post_json(sol, PATH, message="Hello me")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert sol.post(PATH, {"message": "Hello me"}).status_code == 400
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("state", ["available", "reserved"])
def test_what_is_for_sale_can_be_asked_about(ana: Client, listing: Any, state: str) -> None:
    type(listing).objects.update(state=state)
    assert post_json(ana, PATH, message="Hello").status_code == 201


@pytest.mark.parametrize("state", ["sold", "withdrawn"])
def test_what_is_not_for_sale_opens_nothing(ana: Client, listing: Any, state: str) -> None:
    type(listing).objects.update(state=state)
    answer = post_json(ana, PATH, message="Hello")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    page = ana.post(PATH, {"message": "A text that took an hour"})
    assert page.status_code == 403
    assert "A text that took an hour" in Page(page).text
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("state", ["sold", "withdrawn"])
def test_what_is_going_on_goes_on(
    ana: Client, conversation: Conversation, listing: Any, seller: Any, state: str
) -> None:
    type(listing).objects.update(state=state)
    assert post_json(ana, PATH, message="Such a pity").status_code == 201
    assert say(seller, conversation, "Indeed").sequence == 3


@pytest.mark.parametrize("path", ["/listings/nothing/conversation/", "/listings/a b/conversation/"])
def test_there_is_no_such_listing(ana: Client, path: str) -> None:
    assert ana.post(path, {"message": "Hello"}).status_code == 404
    answer = post_json(ana, path, message="Hello")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_who_is_blocked_opens_nothing(ana: Client, listing: Any, buyer: Any, seller: Any) -> None:
    block = Block.objects.create(blocker=seller, blocked=buyer)
    answer = post_json(ana, PATH, message="Hello")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert not Conversation.objects.exists()
    block.delete()
    assert post_json(ana, PATH, message="Hello").status_code == 201


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), (" \n\t ", "empty"), ("\x00\x07", "empty"), ("x" * 4_001, "too_long")],
)
def test_a_text_that_is_none_comes_back_to_the_box_on_the_listing(
    ana: Client, text: str, code: str
) -> None:
    key = str(uuid4())
    answer = post_json(ana, PATH, message=text, client_message_id=key)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    response = ana.post(PATH, {"message": text, "client_message_id": key})
    page = Page(response)
    assert response.status_code == 400
    assert "Walnut sideboard" in page.text
    assert page.text_fields["message"].replace("\n", "") == text.replace("\n", "")
    assert page.hidden("client_message_id") == key
    assert answer.json()["detail"] in page.text
    assert not Conversation.objects.exists()
    # Said once; the text stays until it is sent.
    reloaded = Page(ana.get("/listings/walnut-sideboard/"))
    assert answer.json()["detail"] not in reloaded.text
    assert reloaded.text_fields == page.text_fields
    assert ana.post(PATH, {"message": "Hello"}).status_code == 303
    assert Page(ana.get("/listings/walnut-sideboard/")).text_fields["message"] == ""


@pytest.mark.parametrize("text", ["x" * 4_000, "🪑" * 4_000, "e\u0301" * 4_000])
def test_4000_code_points_are_a_message(ana: Client, text: str) -> None:
    assert ana.post(PATH, {"message": f"  {text}\n"}).status_code == 303
    assert len(Message.objects.get().body) == 4_000


def test_an_id_that_is_none_costs_no_text(ana: Client) -> None:
    response = ana.post(PATH, {"message": "Hello", "client_message_id": "7"})
    assert response.status_code == 400
    page = Page(response)
    assert page.text_fields["message"] == "Hello"
    again = {"message": "Hello", "client_message_id": page.hidden("client_message_id")}
    assert ana.post(PATH, again).status_code == 303


def test_another_text_under_the_same_id_can_be_sent_after_all(ana: Client) -> None:
    form = {"message": "Hello", "client_message_id": str(uuid4())}
    ana.post(PATH, form)
    response = ana.post(PATH, {**form, "message": "Goodbye"})
    page = Page(response)
    assert response.status_code == 409
    assert page.text_fields["message"] == "Goodbye"
    again = {"message": "Goodbye", "client_message_id": page.hidden("client_message_id")}
    assert ana.post(PATH, again).status_code == 303
    assert list(Message.objects.order_by("pk").values_list("body", flat=True)) == [
        "Hello",
        "Goodbye",
    ]


# --- Limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours_old", "count", "minutes_apart", "wait_minutes"),
    [
        (1_000, 10, 5, 14),  # Ten in an hour: the oldest is 46 minutes old.
        (1_000, 30, 45, 24 * 60 - 29 * 45 - 1),
        (23, 5, 120, 24 * 60 - 4 * 120 - 1),
    ],
    ids=["an hour", "a day", "a day of a new account"],
)
def test_who_asked_about_much_has_to_wait(
    ana: Client,
    buyer: Any,
    hours_old: float,
    count: int,
    minutes_apart: float,
    wait_minutes: float,
) -> None:
    joined(buyer, hours_old)
    have_opened(buyer, count, minutes_apart=minutes_apart)
    answer = post_json(ana, PATH, message="Hello")
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert answer.json()["retry_after"] == int(answer.headers["Retry-After"])
    assert answer.json()["retry_after"] == pytest.approx(wait_minutes * 60, abs=30)
    page = ana.post(PATH, {"message": "A text that took an hour"})
    assert (page.status_code, "Retry-After" in page.headers) == (429, True)
    assert Page(page).text_fields["message"] == "A text that took an hour"
    assert not Message.objects.exists()
    with time_machine.travel(timezone.now() + timedelta(minutes=wait_minutes, seconds=5)):
        assert post_json(ana, PATH, message="Hello").status_code == 201


@pytest.mark.parametrize(
    ("hours_old", "count", "minutes_apart"), [(1_000, 9, 5), (1_000, 29, 45), (25, 6, 120)]
)
def test_who_asked_about_less_need_not(
    ana: Client, buyer: Any, hours_old: float, count: int, minutes_apart: float
) -> None:
    joined(buyer, hours_old)
    have_opened(buyer, count, minutes_apart=minutes_apart)
    assert post_json(ana, PATH, message="Hello").status_code == 201


def test_no_limit_keeps_anybody_from_going_on(
    ana: Client, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    have_opened(buyer, 10, minutes_apart=1)
    assert post_json(ana, PATH, message="Still here").status_code == 201
    other = make_listing(seller, "Another thing")
    assert post_json(ana, f"/listings/{other.slug}/conversation/", message="x").status_code == 429


def test_asking_counts_as_sending(ana: Client, conversation: Conversation, buyer: Any) -> None:
    for _ in range(9):
        rate_limits.take_send(buyer.pk)
    assert [post_json(ana, PATH, message="Hello").status_code for _ in range(2)] == [201, 429]


def test_lifted_limits_lift_these_too(ana: Client, buyer: Any, settings: Any) -> None:
    have_opened(buyer, 10, minutes_apart=1)
    assert post_json(ana, PATH, message="Hello").status_code == 429
    settings.MESSAGING_SEND_LIMITS = []
    assert post_json(ana, PATH, message="Hello").status_code == 201


def test_the_page_of_a_listing_leads_back_to_its_conversation(
    ana: Client, conversation: Conversation, seller: Any, client_of: Any
) -> None:
    for client in (ana, client_of(seller)):
        page = client.get("/listings/walnut-sideboard/").content.decode()
        assert f'href="/conversation/{conversation.pk}/"' in page
    assert get_json(ana, "/conversations/").json()["results"][0]["role"] == "buyer"
