"""Looking for things."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from marketplace.listings import services
from marketplace.listings.models import Listing

Person = Any  # The catalogue does not know who AUTH_USER_MODEL is.
pytestmark = pytest.mark.django_db


@pytest.fixture
def offer(seller: Person) -> Callable[..., Listing]:
    def make(title: str, *, price: int = 10, state: str = "available", text: str = "-") -> Listing:
        listing = services.create_listing(
            seller=seller, title=title, text=text, price=Decimal(price), currency="EUR"
        )
        Listing.objects.filter(pk=listing.pk).update(state=state)
        return listing

    return make


def titles(client: Client, query: str = "") -> list[str]:
    response = client.get(f"/{query}")
    assert response.status_code == 200
    return [listing.title for listing in response.context["page"]]


def test_the_newest_comes_first(client: Client, offer: Callable[..., Listing]) -> None:
    for title in ("first", "second", "third"):
        offer(title)
    assert titles(client) == ["third", "second", "first"]


def test_sold_is_shown_when_asked_for_and_withdrawn_never(
    client: Client, offer: Callable[..., Listing]
) -> None:
    for state in ("withdrawn", "sold", "reserved", "available"):
        offer(state, state=state)
    assert titles(client) == ["available", "reserved"]
    assert titles(client, "?state=sold") == ["sold"]
    assert titles(client, "?state=reserved") == ["reserved"]
    assert titles(client, "?state=withdrawn") == ["available", "reserved"]


def test_nothing_is_offered_for_somebody_who_may_not_sign_in(
    client: Client, seller: Person, offer: Callable[..., Listing]
) -> None:
    offer("lamp")
    offer("sold lamp", state="sold")
    assert titles(client) == ["lamp"]
    seller.is_active = False
    seller.save()
    assert titles(client) == []
    assert titles(client, "?state=sold") == []


def test_every_word_must_be_somewhere(client: Client, offer: Callable[..., Listing]) -> None:
    offer("Blue chair", text="made of beech")
    offer("Blue table", text="made of oak")
    assert titles(client, "?q=BLUE+beech") == ["Blue chair"]
    assert titles(client, "?q=blue") == ["Blue table", "Blue chair"]
    assert titles(client, "?q=100%25") == []


def test_prices_bound_the_list(client: Client, offer: Callable[..., Listing]) -> None:
    for price in (5, 10, 15):
        offer(str(price), price=price)
    assert titles(client, "?price_from=10") == ["15", "10"]
    assert titles(client, "?price_to=10") == ["10", "5"]
    assert titles(client, "?price_from=6&price_to=14") == ["10"]


@pytest.mark.parametrize(
    "query",
    [
        "?price_from=abc",
        "?price_from=NaN",
        "?price_to=1e999",
        "?price_to=-1",
        "?price_from=99999999999999999999",
        "?q=%00",
        "?q=" + "x" * 300,
        "?state=nonsense",
        "?page=0",
        "?page=abc",
        "?page=99999999999999999999999",
        "?q=%ff%fe",
    ],
)
def test_nonsense_in_the_query_breaks_nothing(client: Client, query: str) -> None:
    assert client.get(f"/{query}").status_code == 200


def test_what_was_not_understood_is_said(client: Client, offer: Callable[..., Listing]) -> None:
    offer("still here")
    page = client.get("/?price_from=abc").content.decode()
    assert "Price from: Enter a number" in page
    assert "still here" in page


def test_an_empty_market_and_an_empty_search_say_what_to_do(client: Client) -> None:
    assert "Nothing for sale yet" in client.get("/").content.decode()
    assert "Nothing found" in client.get("/?q=unicorn").content.decode()


def test_pages_hold_24_and_keep_the_filters(client: Client, offer: Callable[..., Listing]) -> None:
    for number in range(30):
        offer(f"lamp {number}")
    assert len(titles(client, "?q=lamp")) == 24
    assert len(titles(client, "?q=lamp&page=2")) == 6
    assert len(titles(client, "?q=lamp&page=77")) == 6
    page = client.get("/?q=lamp").content.decode()
    assert 'href="?q=lamp&amp;page=2"' in page


def test_a_full_page_costs_two_queries(
    client: Client,
    offer: Callable[..., Listing],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(26):
        offer(f"lamp {number}")
    with django_assert_num_queries(2):  # How many there are, and the page.
        client.get("/")


def test_signing_in_costs_three_queries_more(
    client_of: Callable[[Person], Client],
    buyer: Person,
    offer: Callable[..., Listing],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    offer("lamp")
    client = client_of(buyer)
    with django_assert_num_queries(5):  # Session, person, unread count; and the two.
        client.get("/")
