"""The demo people and listings."""

from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from marketplace.listings.models import Listing, Photo
from messaging.models import Conversation

User = get_user_model()
pytestmark = pytest.mark.django_db


def seed() -> str:
    output = StringIO()
    call_command("seed_demo", stdout=output)
    return output.getvalue()


def test_outside_debug_it_is_refused_and_changes_nothing() -> None:
    with pytest.raises(CommandError, match="public password"):
        seed()
    assert not User.objects.exists()


def test_it_adds_the_demo_once(
    settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.DEBUG = True
    assert "Added" in seed()
    before = dump()
    with django_assert_num_queries(2):  # Are the people there? Has Sol something to sell?
        assert seed() == ""
    assert dump() == before


def dump() -> list[object]:
    return [
        *User.objects.order_by("pk").values_list("pk", "email", "password"),
        *Listing.objects.order_by("pk").values_list("pk", "slug", "updated_at"),
        *Photo.objects.order_by("pk").values_list("pk", "large"),
    ]


def test_the_first_page_is_sols_and_nobody_has_asked_yet(
    settings: Settings, client: Client
) -> None:
    settings.DEBUG = True
    seed()
    assert set(User.objects.values_list("email", flat=True)) == set(settings.DEMO_ADDRESSES)
    assert EmailAddress.objects.filter(verified=True, primary=True).count() == 3
    assert User.objects.get(email="sol@example.com").check_password("trato-demo")
    listings = list(client.get("/").context["page"])
    assert len(listings) == 12
    assert listings[0].title == "Touring bike, 54 cm"
    assert {listing.seller.display_name for listing in listings} == {"Sol Marín"}
    assert {listing.state for listing in listings} == {"available"}
    assert not Conversation.objects.exists()
    for listing in listings:
        assert 2 <= listing.photos.count() <= 3
        assert client.get(listing.thumbnail_url).status_code == 200


def test_what_people_changed_since_stays(settings: Settings) -> None:
    settings.DEBUG = True
    seed()
    Listing.objects.filter(title__startswith="Touring").delete()
    User.objects.filter(email="teo@example.com").delete()
    assert "Added" in seed()
    assert Listing.objects.count() == 11
    assert User.objects.count() == 3
