"""The people of every test and what they talk about, made of the shop's own models."""

import pytest
from django.core.cache import cache
from django.test import Client
from goods.models import Product
from people.models import Person

PASSWORD = "a long password"


def make_person(name, *, email="", **fields):
    email = email or f"{name.lower()}@example.com"
    return Person.objects.create_user(
        name.lower(), email, PASSWORD, first_name=name, street="Long Lane", **fields
    )


def make_listing(seller, title, **fields):
    return Product.objects.create(seller=seller, title=title, code=title.lower().replace(" ", "-"))


@pytest.fixture(autouse=True)
def surroundings(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    yield
    cache.clear()


@pytest.fixture
def buyer(db):
    return make_person("Ana")


@pytest.fixture
def seller(db):
    return make_person("Sol")


@pytest.fixture
def stranger(db):
    return make_person("Teo")


@pytest.fixture
def staff(db):
    return make_person("Staff", is_staff=True, is_superuser=True)


@pytest.fixture
def listing(seller):
    return make_listing(seller, "Walnut sideboard")


@pytest.fixture
def client_of():
    def sign_in(user):
        client = Client()
        client.force_login(user)
        return client

    return sign_in
