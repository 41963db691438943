"""The way of a question through the shop, page by page."""

import re
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.core import mail
from django.test import Client
from django.utils import timezone

from goods.models import Product
from messaging.models import Conversation, Participant
from messaging.tests.conversing import say
from notifications.tasks import create_notifications, send_notification_email
from notifications.models import Delivery
from tests.cast import PASSWORD

ASK = {"message": "Is it still there?", "client_message_id": "0199c0de-0000-7000-8000-000000000001"}
PAGES = ["/conversations/", "/seller/"]


def ask(client, code="walnut-sideboard"):
    return client.post(f"/listings/{code}/conversation/", ASK)


def test_a_question_opens_a_conversation_that_the_seller_finds(client_of, buyer, seller, listing):
    ana, sol = client_of(buyer), client_of(seller)
    assert "Ask about this" in ana.get(listing.get_absolute_url()).content.decode()
    answer = ask(ana)
    assert (answer.status_code, answer.url[:14]) == (303, "/conversation/")
    assert "Is it still there?" in ana.get(answer.url).content.decode()
    assert "Is it still there?" in sol.get("/conversations/").content.decode()
    sol.post(f"{answer.url}new_message/", {"message": "It is."})
    assert "It is." in ana.get(answer.url).content.decode()


def test_signing_in_with_a_username_sends_what_was_typed(client, buyer, seller, listing):
    answer = ask(client)
    assert answer.url.startswith("/door/login/?next=")
    follow = {
        "username": "ana",
        "password": PASSWORD,
        "next": f"/listings/{listing.code}/conversation/",
    }
    answer = client.post("/door/login/", follow, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/conversation/")
    assert Conversation.objects.get().buyer == buyer


def test_the_unread_count_stands_in_the_shops_own_bar(client_of, seller, conversation):
    sol = client_of(seller)
    assert "Messages 1</a>" in sol.get("/").content.decode()
    sol.post(f"/conversation/{conversation.pk}/read/", {"sequence": 1})
    assert "Messages </a>" in sol.get("/").content.decode()


@pytest.mark.parametrize("tail", ["", "messages/"])
def test_a_stranger_finds_nothing(client_of, stranger, buyer, conversation, tail):
    path = f"/conversation/{conversation.pk}/{tail}"
    headers = {"Accept": "application/json"}
    assert client_of(buyer).get(path, headers=headers).status_code == 200
    assert client_of(stranger).get(path, headers=headers).status_code == 404
    assert client_of(stranger).post(f"{path}new_message/", ASK).status_code == 404


def test_signed_out_the_shops_own_door_opens(client, conversation):
    answer = client.get("/conversations/")
    assert answer.url == "/door/login/?next=/conversations/"


@pytest.mark.parametrize("path", [*PAGES, "thread", "/people/blocked/"])
def test_pages_stand_in_the_base_of_the_shop(client_of, buyer, conversation, path):
    path = conversation.get_absolute_url() if path == "thread" else path
    page = client_of(buyer).get(path).content.decode()
    assert "– Corner Shop</title>" in page
    assert 'action="/door/logout/"' in page
    assert page.count("<h1") >= 1
    assert f'<meta name="user-id" content="{buyer.pk}">' in page


@pytest.mark.parametrize("path", [*PAGES, "thread", "product"])
def test_every_file_that_a_page_names_is_there(client_of, buyer, listing, conversation, path):
    places = {"thread": conversation.get_absolute_url(), "product": listing.get_absolute_url()}
    page = client_of(buyer).get(places.get(path, path)).content.decode()
    named = re.findall(r'(?:href|src)="/static/([^"]+)"', page)
    assert len(named) > 8
    assert [name for name in named if finders.find(name) is None] == []


@pytest.mark.parametrize("path", [*PAGES, "thread", "product"])
def test_every_link_leads_somewhere(client_of, buyer, listing, conversation, path):
    places = {"thread": conversation.get_absolute_url(), "product": listing.get_absolute_url()}
    ana = client_of(buyer)
    page = ana.get(places.get(path, path)).content.decode()
    for link in set(re.findall(r'<a [^>]*href="(/[^"]*)"', page)):
        assert ana.get(link.replace("&amp;", "&")).status_code == 200, link


def test_spanish(client_of, buyer, conversation):
    page = client_of(buyer).get("/conversations/", headers={"Accept-Language": "es"})
    assert "Buzón – Corner Shop" in page.content.decode()


def test_who_sells_nothing_any_more_is_not_asked(client_of, buyer, listing, seller, conversation):
    seller.delete()
    listing.refresh_from_db()
    assert listing.seller is None
    ana = client_of(buyer)
    assert "Questions are closed" in ana.get(f"/goods/{listing.code}/").content.decode()
    thread = ana.get(conversation.get_absolute_url()).content.decode()
    assert "Is it still there?" in thread
    assert 'id="composer"' not in thread
    assert "Walnut sideboard" in ana.get("/conversations/").content.decode()


def test_a_product_of_nobody_can_be_looked_at_and_not_asked_about(client_of, buyer):
    Product.objects.create(code="foundling", title="Foundling")
    assert "Questions are closed" in client_of(buyer).get("/goods/foundling/").content.decode()
    ask(client_of(buyer), "foundling")
    assert not Conversation.objects.exists()


def test_the_absent_are_mailed(seller, buyer, conversation):
    say(buyer, conversation, "I could come tomorrow.")
    Participant.objects.filter(user=seller).update(notify_at=timezone.now())
    create_notifications.run()
    send_notification_email.run(str(Delivery.objects.get().pk))
    [message] = mail.outbox
    assert message.to == ["sol@example.com"]
    assert "I could come tomorrow." in message.body
    [link] = re.findall(r"http://testserver(/conversation/\S+)", message.body)
    client = Client()
    client.force_login(seller)
    assert client.get(urlsplit(link).path).status_code == 200


def test_addresses_by_primary_key(settings, client_of, buyer, listing):
    settings.MESSAGING_LISTING_SLUG_FIELD = "pk"
    ana = client_of(buyer)
    assert (
        f"/listings/{listing.pk}/conversation/"
        in ana.get(f"/goods/{listing.code}/").content.decode()
    )
    for nonsense in ("walnut-sideboard", "9" * 40, "0"):
        assert ask(ana, nonsense).status_code == 404
        assert ana.get("/conversations/", {"listing": nonsense}).status_code == 200
    assert ask(ana, listing.pk).status_code == 303
