"""One listing: looking at it, making it, changing it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from marketplace.listings.models import Listing
from marketplace.listings.prices import format_price

Person = Any  # The catalogue does not know who AUTH_USER_MODEL is.
pytestmark = pytest.mark.django_db
FIELDS = {"title": "Old lamp", "text": "It gives light.", "price": "35.50", "currency": "EUR"}
SignIn = Callable[[Person], Client]


def test_everybody_sees_a_listing_with_its_box(
    client: Client, listing: Listing, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):  # The listing with its seller, and its photos.
        page = client.get("/listings/walnut-sideboard/").content.decode()
    assert "Walnut sideboard" in page
    assert "€ 340" in page
    assert "Available" in page
    assert "Sol" in page
    assert 'action="/listings/walnut-sideboard/conversation/"' in page
    assert 'name="message"' in page
    assert listing.seller.email not in page


def test_text_is_text(client: Client, listing: Listing) -> None:
    Listing.objects.update(title="<script>alert(1)</script>", text="<img src=x onerror=alert(1)>")
    page = client.get(listing.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("slug", ["nothing", "a" * 500, "%00", "ü"])
def test_a_missing_listing_is_404(client: Client, slug: str) -> None:
    assert client.get(f"/listings/{slug}/").status_code == 404


def test_a_withdrawn_listing_says_so_and_shows_nothing_else(
    client: Client, client_of: SignIn, seller: Person, listing: Listing
) -> None:
    Listing.objects.update(state="withdrawn")
    page = client.get(listing.get_absolute_url()).content.decode()
    assert "taken this back" in page
    assert listing.text not in page
    assert 'name="message"' not in page
    assert listing.text in client_of(seller).get(listing.get_absolute_url()).content.decode()


def test_a_person_puts_something_online(client_of: SignIn, seller: Person) -> None:
    response = client_of(seller).post("/sell/new/", FIELDS)
    listing = Listing.objects.get()
    assert response.headers["Location"] == listing.get_absolute_url()
    assert listing.slug.startswith("old-lamp-")
    assert (listing.seller, listing.price_label, listing.state) == (seller, "€ 35.50", "available")


def test_two_of_the_same_title_have_addresses_of_their_own(
    client_of: SignIn, seller: Person
) -> None:
    client = client_of(seller)
    for title in ("自行车", "自行车", "x" * 120):
        assert client.post("/sell/new/", FIELDS | {"title": title}).status_code == 302
    slugs = set(Listing.objects.values_list("slug", flat=True))
    assert len(slugs) == 3
    assert all(client.get(f"/listings/{slug}/").status_code == 200 for slug in slugs)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": " \t "},
        {"title": "x" * 121},
        {"title": "\u202e"},
        {"title": "\u200b\u2060"},
        {"title": "…"},
        {"title": "a\x00b"},
        {"text": "\x01\x02"},
        {"text": "x" * 10_001},
        {"price": "-1"},
        {"price": "NaN"},
        {"price": "12345678901234"},
        {"price": "1.234"},
        {"currency": "XXX"},
    ],
)
def test_bad_fields_are_refused_in_place(
    client_of: SignIn, seller: Person, changes: dict[str, str]
) -> None:
    page = client_of(seller).post("/sell/new/", FIELDS | changes)
    assert page.status_code == 400
    assert set(page.context["form"].errors) == set(changes)
    assert "What you typed is still here" in page.content.decode()
    assert not Listing.objects.exists()


def test_control_characters_are_dropped(client_of: SignIn, seller: Person) -> None:
    client_of(seller).post("/sell/new/", FIELDS | {"text": "one\r\ntwo\x07", "title": "a\tb\nc"})
    listing = Listing.objects.get()
    assert (listing.title, listing.text) == ("a b c", "one\ntwo")


def test_a_title_turns_no_text_around(client_of: SignIn, seller: Person) -> None:
    client_of(seller).post("/sell/new/", FIELDS | {"title": "lamp \u202egpj.exe\u2066"})
    assert Listing.objects.get().title == "lamp gpj.exe"


@pytest.mark.parametrize("field", ["title", "text"])
def test_endless_accents_are_refused(client_of: SignIn, seller: Person, field: str) -> None:
    accents = "e" + ("\u0301\u0316" * 12 + "\x07") * 2
    page = client_of(seller).post("/sell/new/", FIELDS | {field: accents})
    assert "more accents on one letter" in page.content.decode()
    assert not Listing.objects.exists()


def test_a_seller_changes_their_listing_and_the_address_stays(
    client_of: SignIn, seller: Person, listing: Listing
) -> None:
    client = client_of(seller)
    assert client.get("/sell/walnut-sideboard/").status_code == 200
    assert client.post("/sell/walnut-sideboard/", FIELDS).status_code == 302
    listing.refresh_from_db()
    assert (listing.title, listing.slug) == ("Old lamp", "walnut-sideboard")


@pytest.mark.parametrize("path", ["/sell/walnut-sideboard/", "/sell/walnut-sideboard/state/"])
def test_a_stranger_finds_nothing_to_change(
    client_of: SignIn,
    seller: Person,
    stranger: Person,
    listing: Listing,
    path: str,
) -> None:
    fields = FIELDS | {"state": "sold"}
    foreign = client_of(stranger).post(path, fields)
    missing = client_of(stranger).post(path.replace("walnut", "missing"), fields)
    assert (foreign.status_code, missing.status_code) == (404, 404)
    listing.refresh_from_db()
    assert (listing.title, listing.state) == ("Walnut sideboard", "available")
    assert client_of(seller).post(path, fields).status_code == 302


@pytest.mark.parametrize(
    "path", ["/sell/", "/sell/new/", "/sell/walnut-sideboard/", "/sell/walnut-sideboard/state/"]
)
def test_selling_asks_signed_out_people_to_log_in(
    client: Client, listing: Listing, path: str
) -> None:
    response = client.post(path)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("state", ["available", "reserved", "sold", "withdrawn"])
def test_a_seller_sets_the_state(
    client_of: SignIn, seller: Person, listing: Listing, state: str
) -> None:
    response = client_of(seller).post("/sell/walnut-sideboard/state/", {"state": state})
    assert response.headers["Location"] == "/sell/"
    listing.refresh_from_db()
    assert listing.state == state
    assert listing.can_be_asked == (state in {"available", "reserved"})


@pytest.mark.parametrize("state", ["", "stolen", "\x00"])
def test_a_state_that_does_not_exist_is_refused(
    client_of: SignIn, seller: Person, listing: Listing, state: str
) -> None:
    response = client_of(seller).post("/sell/walnut-sideboard/state/", {"state": state})
    assert response.status_code == 400
    listing.refresh_from_db()
    assert listing.state == "available"


def test_a_state_is_not_changed_by_following_a_link(
    client_of: SignIn, seller: Person, listing: Listing
) -> None:
    assert client_of(seller).get("/sell/walnut-sideboard/state/").status_code == 405


def test_a_seller_sees_all_of_their_own_in_five_queries(
    client_of: SignIn,
    seller: Person,
    stranger: Person,
    listing: Listing,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number, owner in enumerate((seller, seller, stranger)):
        Listing.objects.create(
            seller=owner, title=f"{owner} {number}", slug=f"s{number}", text="-", price=1,
            state="withdrawn",
        )  # fmt: skip
    client = client_of(seller)
    with django_assert_num_queries(5):  # Session, person, unread count, how many, the page.
        page = client.get("/sell/")
    assert [item.title for item in page.context["page"]] == ["Sol 1", "Sol 0", "Walnut sideboard"]
    assert "You sell nothing yet" in client_of(make_empty(stranger)).get("/sell/").content.decode()


def make_empty(person: Person) -> Person:
    Listing.objects.filter(seller=person).delete()
    return person


@pytest.mark.parametrize(
    ("price", "currency", "english", "spanish"),
    [
        ("340", "EUR", "€ 340", "340 €"),
        ("24.50", "EUR", "€ 24.50", "24,50 €"),
        ("1340", "GBP", "£ 1,340", "1 340 £"),
    ],
)
def test_prices_are_written_as_people_write_them(
    price: str, currency: str, english: str, spanish: str
) -> None:
    from decimal import Decimal

    with translation.override("en"):
        assert format_price(Decimal(price), currency) == english
    with translation.override("es"):
        # Spaces that no line breaks at.
        assert format_price(Decimal(price), currency) == spanish.replace(" ", "\xa0")
