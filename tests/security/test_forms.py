"""Every form asks for its token, no link changes anything, and no field is taken that none has."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from marketplace.listings.models import Listing
from messaging.models import Block, Conversation
from messaging.tests.browsing import JSON
from tests.cast import PASSWORD
from tests.security.bodies import BODIES, LISTING, NEW_PASSWORD
from tests.security.routes import fill_in, list_routes
from tests.security.table_of_pages import ROWS
from tests.security.world import make_world, undone

pytestmark = pytest.mark.django_db
# What answers without a token: it takes nothing and changes nothing, whatever the method.
WITHOUT_TOKEN = {"health/live/": 200, "health/ready/": 200}
CROSS_SITE_TYPES = ["application/x-www-form-urlencoded", "text/plain", JSON, "multipart/form-data"]


def test_nothing_is_done_without_the_token() -> None:
    world = make_world()
    world.values |= {"pk": 1, "object_id": 1, "id": 1, "content_type_id": 1, "url": "x/"}
    world.values["app_label"] = "accounts"
    statuses = {}
    for who in ("owner", "staff"):
        client = Client(enforce_csrf_checks=True)
        client.force_login(world.people[who])
        for route in list_routes():
            if route.startswith("admin/") is not (who == "staff"):
                continue
            values = world.values | {"key": world.conversation.pk}
            with undone(client) as written:
                path = fill_in(route, values)
                answer = client.post(path, BODIES.get(route, {}), headers={"Origin": "null"})
            assert not written, route
            if answer.status_code != 403:
                statuses[route] = answer.status_code
    assert statuses == WITHOUT_TOKEN


@pytest.mark.parametrize("content_type", CROSS_SITE_TYPES)
def test_no_form_of_another_site_sends_a_message(
    content_type: str, conversation: Conversation, buyer: User
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(buyer)
    path = f"/conversation/{conversation.pk}/new_message/"
    for origin in ("https://evil.example", "null", "http://testserver.evil.example"):
        answer = client.post(
            path, '{"message": "x"}', content_type=content_type, headers={"Origin": origin}
        )
        assert answer.status_code == 403
    assert conversation.messages.count() == 1


def test_no_link_changes_anything() -> None:
    """By the table of pages, which was measured: no GET of anybody has written."""
    cells = [cell for row in ROWS if row.method == "GET" for cell in row.cells.values()]
    assert len(cells) > 300
    assert not [cell for cell in cells if cell.endswith("*")]
    assert [cell for row in ROWS for cell in row.cells.values() if cell.endswith("*")]


# --- Fields that no form has ----------------------------------------------------------------------

POWERS = {
    "is_staff": "on", "is_superuser": "1", "is_active": "0", "email": "thief@example.org",
    "password": "x", "user": "1", "id": "1", "groups": "1", "date_joined": "2001-01-01",
}  # fmt: skip


def test_nobody_gives_themselves_power(
    client: Client, buyer: User, stranger: User, client_of: Any
) -> None:
    fields = {"display_name": "Anita", "locale": "", "time_zone": "", **POWERS}
    assert client_of(buyer).post("/accounts/profile/", fields).status_code == 302
    found = User.objects.get(pk=buyer.pk)
    assert (found.display_name, found.email) == ("Anita", buyer.email)
    assert (found.is_staff, found.is_superuser, found.is_active) == (False, False, True)
    assert found.check_password(PASSWORD)
    fields = {**POWERS, "display_name": "Nia", "email": "nia@example.org"}
    client.post("/accounts/signup/", {**fields, "password1": NEW_PASSWORD})
    new = User.objects.get(email="nia@example.org")
    assert (new.is_staff, new.is_superuser) == (False, False)
    assert new.date_joined.year > 2001


def test_nobody_sells_in_the_name_of_another(
    buyer: User, seller: User, listing: Listing, client_of: Any
) -> None:
    fields = {**LISTING, "seller": seller.pk, "state": "sold", "slug": "mine", "id": listing.pk}
    fields |= {"created_at": "2001-01-01"}
    assert client_of(buyer).post("/sell/new/", fields).status_code == 302
    made = Listing.objects.get(title="Oak table")
    assert (made.seller, made.state) == (buyer, Listing.State.AVAILABLE)
    assert (made.slug != "mine", made.pk != listing.pk) == (True, True)
    listing.refresh_from_db()
    assert (listing.seller, listing.title) == (seller, "Walnut sideboard")


def test_nobody_blocks_in_the_name_of_another(
    conversation: Conversation, buyer: User, seller: User, stranger: User, client_of: Any
) -> None:
    fields = {"on": 1, "blocker": stranger.pk, "user": stranger.pk, "blocked": stranger.pk}
    assert client_of(buyer).post(f"/people/{seller.pk}/block/", fields).status_code == 303
    assert list(Block.objects.values_list("blocker", "blocked")) == [(buyer.pk, seller.pk)]


# --- Mails that anybody can ask for ---------------------------------------------------------------

ADVERT = "Win 5000 now evil.example"


def test_nobody_mails_words_of_their_own_to_an_address_they_type(client: Client) -> None:
    """A sign-up with an advert for a name, for somebody who never asked for it."""
    target = "victim@example.org"
    client.post(
        "/accounts/signup/",
        {"display_name": ADVERT, "email": target, "password1": NEW_PASSWORD, "time_zone": ADVERT},
    )
    client.post("/accounts/password/reset/", {"email": target, "message": ADVERT})
    for address in (f"{ADVERT}@example.org", f"{target}\r\nBcc: other@example.org"):
        client.post("/accounts/password/reset/", {"email": address})
    assert mail.outbox
    for message in mail.outbox:
        assert message.to == [target]
        assert "evil.example" not in str(message.message())
        assert "Bcc" not in message.message()


def test_an_address_gets_few_mails_whoever_asks(buyer: User) -> None:
    for number in range(20):
        place = Client(REMOTE_ADDR=f"198.51.100.{number}")
        place.post("/accounts/password/reset/", {"email": buyer.email})
    assert 1 <= len(mail.outbox) <= 6


@pytest.mark.parametrize("field", ["display_name", "title"])
@pytest.mark.parametrize("text", ["Ana\r\nBcc: x@evil.example", "Ana\nSubject: x", "Ana\u2028x"])
def test_a_line_end_begins_no_header(
    field: str, text: str, buyer: User, client_of: Any, client: Client
) -> None:
    """A name is refused, a title becomes one line; mails are made from what is stored
    (`notifications/tests/test_email.py` has what becomes of it there)."""
    ana = client_of(buyer)
    if field == "display_name":
        ana.post("/accounts/profile/", {"display_name": text, "locale": "", "time_zone": ""})
        stored = User.objects.get(pk=buyer.pk).display_name
    else:
        ana.post("/sell/new/", LISTING | {"title": text})
        stored = "".join(Listing.objects.values_list("title", flat=True))
    from notifications.text import single_line

    assert len(single_line(stored).splitlines()) <= 1
    assert "\n" not in stored
    assert "\r" not in stored
