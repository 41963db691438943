"""Asking from a listing's page before signing in: the text waits and is sent once."""

import re
from html import unescape
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client

from messaging.models import Conversation, Message
from messaging.questions import KEY
from messaging.tests.browsing import Page, post_json
from tests.cast import PASSWORD

PATH = "/listings/walnut-sideboard/conversation/"
LOG_IN = "/accounts/login/"
CODE = re.compile(r"^[A-Z0-9]{3,4}-?[A-Z0-9]{3,4}$", re.MULTILINE)
TEXT = "Does it fit through a door of 80 cm?\nI measured «twice» & <thrice>."

pytestmark = pytest.mark.django_db


def ask(client: Client, text: str = TEXT) -> Any:
    return client.post(PATH, {"message": text, "client_message_id": str(uuid4())})


def hidden_next(response: Any) -> str:
    """Of the form in the middle of the page: the language switch has one too."""
    main = response.content.decode().partition("<main")[2]
    found = re.search(r'name="next" value="([^"]*)"', main)
    assert found
    return found[1]


def log_in(client: Client, email: str) -> Any:
    """By the form that the browser was sent to, with what it carries."""
    page = client.get(LOG_IN, {"next": PATH})
    form = {"login": email, "password": PASSWORD, "next": hidden_next(page)}
    return client.post(LOG_IN, form, follow=True)


def test_the_text_survives_log_in_and_is_sent_once(
    client: Client, listing: Any, buyer: Any
) -> None:
    response = ask(client)
    assert response.status_code == 303
    assert response.headers["Location"] == f"{LOG_IN}?next={PATH.replace('/', '%2F')}"
    assert not Message.objects.exists()
    assert Page(client.get("/listings/walnut-sideboard/")).text_fields["message"] == TEXT

    thread = log_in(client, buyer.email)

    message = Message.objects.get()
    assert (message.body, message.sender.user) == (TEXT, buyer)  # type: ignore[union-attr]
    assert thread.redirect_chain[-1] == (f"/conversation/{message.conversation_id}/", 303)
    assert "Does it fit through a door" in Page(thread).text
    # Whatever is loaded again now, by hand or by the browser.
    assert client.get(PATH).headers["Location"] == "/listings/walnut-sideboard/"
    assert Page(client.get("/listings/walnut-sideboard/")).text_fields["message"] == ""
    assert Message.objects.count() == 1


def test_the_text_survives_signing_up_by_code(client: Client, listing: Any) -> None:
    ask(client)
    page = client.get(LOG_IN, {"next": PATH}).content.decode()
    ways = re.findall(r'href="(/accounts/signup/[^"]*)"', page)
    assert len(ways) == 2
    assert {unescape(way) for way in ways} == {f"/accounts/signup/?next={quote(PATH, safe='')}"}
    form = {
        "display_name": "Ines Prat",
        "email": "ines@example.net",
        "password1": PASSWORD,
        "next": hidden_next(client.get(ways[0])),
    }
    client.post("/accounts/signup/", form)
    assert not Message.objects.exists()
    code = CODE.search(str(mail.outbox[-1].body))
    assert code

    thread = client.post("/accounts/confirm-email/", {"code": code[0]}, follow=True)

    message = Message.objects.get()
    assert (message.body, message.sender.name) == (TEXT, "Ines Prat")  # type: ignore[union-attr]
    assert thread.redirect_chain[-1] == (f"/conversation/{message.conversation_id}/", 303)
    client.get(PATH)
    assert Message.objects.count() == 1


def test_two_tabs_that_come_back_at_once_send_once(
    client: Client, listing: Any, buyer: Any
) -> None:
    """The second request may have read the session before the first one wrote it."""
    ask(client)
    waiting = client.session[KEY]
    log_in(client, buyer.email)
    session = client.session
    session[KEY] = waiting
    session.save()
    assert client.get(PATH).status_code == 303
    assert Message.objects.count() == 1


def test_a_link_to_the_path_sends_nothing(client: Client, listing: Any, buyer: Any) -> None:
    assert client.get(PATH, {"message": "Hello"}).headers["Location"] == listing.get_absolute_url()
    client.force_login(buyer)
    response = client.get(PATH, {"message": "Hello"})
    assert response.headers["Location"] == listing.get_absolute_url()
    assert not Conversation.objects.exists()


def test_what_failed_when_signed_in_is_not_sent_by_a_link(
    client: Client, listing: Any, buyer: Any
) -> None:
    client.force_login(buyer)
    ask(client, "x" * 4_001)
    assert client.get(PATH).headers["Location"] == listing.get_absolute_url()
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("text", ["", "  ", "x" * 4_001])
def test_what_cannot_be_sent_is_refused_before_signing_in(
    client: Client, listing: Any, buyer: Any, text: str
) -> None:
    response = ask(client, text)
    assert response.status_code == 400
    assert Page(response).text_fields["message"] == text
    log_in(client, buyer.email)
    assert not Conversation.objects.exists()


def test_so_is_asking_about_what_is_sold(client: Client, listing: Any, buyer: Any) -> None:
    type(listing).objects.update(state="sold")
    response = ask(client)
    assert response.status_code == 403
    assert "Does it fit through a door" in Page(response).text


def test_who_turns_out_to_be_the_seller_is_told(
    client: Client, listing: Any, seller: Any, buyer: Any
) -> None:
    ask(client)
    response = log_in(client, seller.email)
    assert response.status_code == 400
    assert not Conversation.objects.exists()


def test_what_is_sold_meanwhile_keeps_the_text(client: Client, listing: Any, buyer: Any) -> None:
    ask(client)
    type(listing).objects.update(state="sold")
    response = log_in(client, buyer.email)
    assert response.status_code == 403
    assert "Does it fit through a door" in Page(response).text
    assert not Conversation.objects.exists()


def test_only_the_last_question_waits(client: Client, listing: Any, buyer: Any) -> None:
    ask(client, "First")
    ask(client, "Second")
    log_in(client, buyer.email)
    assert Message.objects.get().body == "Second"


def test_whose_session_waits_is_nobody_elses(
    client: Client, listing: Any, buyer: Any, stranger: Any, client_of: Any
) -> None:
    ask(client)
    client_of(stranger).get(PATH)
    assert not Message.objects.exists()
    log_in(client, buyer.email)
    assert Message.objects.count() == 1


def test_json_keeps_its_text_itself(client: Client, listing: Any) -> None:
    answer = post_json(client, PATH, message=TEXT)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert KEY not in client.session
