"""The people of every test, and the listing they talk about."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from marketplace.listings.models import Listing

PASSWORD = "a long trato password"


def make_person(name: str, *, email: str = "", **fields: bool | str) -> User:
    """Somebody with a verified address and `PASSWORD`."""
    email = email or f"{name.lower()}@example.com"
    user = User.objects.create_user(email, PASSWORD, display_name=name, **fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def make_listing(seller: User, title: str, **fields: Any) -> Listing:
    """Anything that costs ten euros."""
    slug = title.lower().replace(" ", "-")
    return Listing.objects.create(
        seller=seller, title=title, slug=slug, text="As good as new.", price=10, **fields
    )


@pytest.fixture
def buyer(db: None) -> User:
    return make_person("Ana")


@pytest.fixture
def seller(db: None) -> User:
    return make_person("Sol")


@pytest.fixture
def stranger(db: None) -> User:
    return make_person("Teo")


@pytest.fixture
def staff(db: None) -> User:
    return make_person("Staff", is_staff=True, is_superuser=True)


@pytest.fixture
def listing(seller: User) -> Listing:
    return Listing.objects.create(
        seller=seller,
        title="Walnut sideboard",
        slug="walnut-sideboard",
        text="Two doors, three drawers, one small scratch.",
        price=Decimal("340.00"),
        currency="EUR",
    )


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A signed-in client for a person; what it answers with 500 is raised in the test."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in
