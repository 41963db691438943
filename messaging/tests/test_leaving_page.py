"""`/conversation/<id>/leave/`: asked first, done by POST, and unknown to whoever is not in it."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from messaging.models import Conversation
from messaging.tests.browsing import JSON, get_json, post_json, url
from messaging.tests.crowd import place_of
from messaging.tests.test_participants import remove

pytestmark = pytest.mark.django_db


def test_a_page_asks_first_and_a_form_leaves(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    page = ana.get(url(conversation, "leave/"))
    assert page.status_code == 200
    assert "Walnut sideboard" in page.content.decode()
    assert not place_of(buyer, conversation).has_left
    answer = ana.post(url(conversation, "leave/"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/conversations/")
    assert place_of(buyer, conversation).has_left
    assert ana.get(answer.headers["Location"]).status_code == 200
    assert not place_of(seller, conversation).has_left


def test_a_seller_is_led_back_to_the_desk(
    conversation: Conversation, seller: Any, client_of: Any
) -> None:
    answer = client_of(seller).post(url(conversation, "leave/"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/seller/")


def test_json_says_so(conversation: Conversation, buyer: Any, client_of: Any) -> None:
    answer = post_json(client_of(buyer), url(conversation, "leave/"))
    assert (answer.status_code, answer.json()) == (
        200,
        {"conversation": str(conversation.pk), "left": True},
    )


@pytest.mark.parametrize("who", ["stranger", "staff", "left", "taken out"])
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("accept", ["text/html", JSON])
def test_to_all_others_there_is_nothing_to_leave(
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    stranger: Any,
    staff: Any,
    client_of: Any,
    who: str,
    method: str,
    accept: str,
) -> None:
    person = {"stranger": stranger, "staff": staff}.get(who, seller)
    client = client_of(person)
    if who == "left":
        assert post_json(client, url(conversation, "leave/")).status_code == 200
    if who == "taken out":
        remove(seller, conversation, by=staff)
    ask = getattr(client, method)
    answers = [
        ask(f"/conversation/{key}/leave/", headers={"Accept": accept})
        for key in (conversation.pk, uuid4(), "7")
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    if accept == JSON:
        assert {answer.content for answer in answers} == {answers[0].content}
    assert not place_of(buyer, conversation).has_left


def test_signed_out_and_other_methods(conversation: Conversation, buyer: Any) -> None:
    nobody = Client()
    assert get_json(nobody, url(conversation, "leave/")).status_code == 401
    assert nobody.post(url(conversation, "leave/")).status_code == 302
    assert nobody.put(url(conversation, "leave/")).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(buyer)
    assert strict.post(url(conversation, "leave/")).status_code == 403
    assert not place_of(buyer, conversation).has_left


@pytest.mark.parametrize("tail", ["leave/", "messages/1/edit/", "messages/1/delete/"])
def test_asking_for_the_head_of_a_page_changes_nothing(
    conversation: Conversation, buyer: Any, stranger: Any, client_of: Any, tail: str
) -> None:
    answer = client_of(buyer).head(url(conversation, tail))
    assert (answer.status_code, answer.content) == (200, b"")
    assert not place_of(buyer, conversation).has_left
    message = conversation.messages.get()
    assert (message.deleted_at, message.edited_at) == (None, None)
    assert client_of(stranger).head(url(conversation, tail)).status_code == 404
