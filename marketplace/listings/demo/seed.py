"""Puts the demo people and their listings into the database, once."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction

from marketplace.listings import services
from marketplace.listings.demo.catalogue import CATALOGUE, DemoListing
from marketplace.listings.intake import PreparedPhoto, encode_sizes
from marketplace.listings.models import Listing
from marketplace.listings.prices import Currency

BETWEEN_LISTINGS = timedelta(hours=19)


@dataclass(frozen=True)
class DemoPerson:
    email: str
    display_name: str


SOL = DemoPerson("sol@example.com", "Sol Marín")
PEOPLE = (
    SOL,
    DemoPerson("ana@example.com", "Ana Ríos"),
    DemoPerson("teo@example.com", "Teo Vidal"),
)


def seed() -> bool:
    """Whether anything was missing and has been added. What people changed since stays changed."""
    known = set(
        get_user_model()
        .objects.filter(email__in=[person.email for person in PEOPLE])
        .values_list("email", flat=True)
    )
    missing = [person for person in PEOPLE if person.email not in known]
    without_listings = not Listing.objects.filter(seller__email=SOL.email).exists()
    if not missing and not without_listings:
        return False
    with transaction.atomic():
        add_people(missing)
        if without_listings:
            add_listings(seller=get_user_model().objects.get(email=SOL.email))
    return True


def add_people(people: Iterable[DemoPerson]) -> None:
    password = make_password(settings.DEMO_PASSWORD)  # Once for all: it is slow on purpose.
    for person in people:
        user = get_user_model().objects.create(
            email=person.email, display_name=person.display_name, password=password
        )
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)


def add_listings(*, seller: Any) -> None:
    with ThreadPoolExecutor() as pool:
        albums = list(pool.map(prepare_album, CATALOGUE))
    for number, (thing, photos) in reversed(list(enumerate(zip(CATALOGUE, albums, strict=True)))):
        listing = services.create_listing(
            seller=seller,
            title=thing.title,
            text=thing.text,
            price=thing.price,
            currency=Currency.EUR,
            photos=photos,
        )
        created_at = listing.created_at - number * BETWEEN_LISTINGS
        Listing.objects.filter(pk=listing.pk).update(created_at=created_at)


def prepare_album(thing: DemoListing) -> list[PreparedPhoto]:
    return [encode_sizes(picture) for picture in thing.draw_photos()]
