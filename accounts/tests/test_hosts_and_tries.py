"""What somebody writes into the Host header changes nothing about the account pages."""

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.tests.signing_in import LOG_IN
from accounts.tests.test_limits import try_password
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_names(settings: Settings) -> None:
    settings.SITE_URL = "https://market.example"
    settings.ALLOWED_HOSTS = ["market.example", "second.example"]
    settings.MESSAGING_ALLOWED_ORIGINS = ["https://market.example", "https://second.example:8443"]


def guess(login: str, names: list[str]) -> str:
    """Each from another place. The last answer, to the right password."""
    for number, name in enumerate(names):
        place = Client(REMOTE_ADDR=f"198.51.100.{number}")
        try_password(place, login, Host=name)
    return try_password(Client(), login, PASSWORD, Host="market.example")


def test_guesses_are_counted_together_whatever_the_name(buyer: User) -> None:
    names = ["market.example", "second.example:8443", "MARKET.example", "SECOND.example:8443"]
    assert "Too many tries" in guess(buyer.email, [*names, "market.example."])


def test_a_made_up_port_is_refused_before_anything_is_tried(buyer: User) -> None:
    last = guess(buyer.email, [f"market.example:{port}" for port in range(1000, 1006)])
    assert "Too many tries" not in last
    browser = Client(headers={"Host": "market.example:1000"})
    answer = browser.post(LOG_IN, {"login": buyer.email, "password": PASSWORD})
    assert answer.status_code == 400
    assert not browser.cookies


def test_the_count_has_no_name_of_the_site_in_it(buyer: User, settings: Settings) -> None:
    """Whatever lets a request through: ports are not what a count may hang on."""
    middleware = [name for name in settings.MIDDLEWARE if "KnownHost" not in name]
    settings.MIDDLEWARE = middleware
    names = [f"market.example:{port}" for port in range(1000, 1006)]
    assert "Too many tries" in guess(buyer.email, names)


@pytest.mark.parametrize("host", ["market.example", "second.example:8443"])
def test_links_in_mails_begin_with_the_address_that_people_type(buyer: User, host: str) -> None:
    browser = Client(headers={"Host": host})
    for path, fields in {
        "/accounts/password/reset/": {"email": buyer.email},
        "/accounts/signup/": {"display_name": "Ana", "email": buyer.email, "password1": "Wholly-7"},
    }.items():
        browser.post(path, fields)
    browser.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert len(mail.outbox) == 3
    for message in mail.outbox:
        assert isinstance(message, EmailMultiAlternatives)
        html = str(message.alternatives[0][0])
        for text in (str(message.body), html):
            assert "https://market.example/accounts/" in text
            assert "second.example" not in text


def test_a_note_about_the_account_links_there_too(buyer: User) -> None:
    browser = Client(headers={"Host": "second.example:8443"})
    browser.post(LOG_IN, {"login": buyer.email, "password": PASSWORD})
    fields = {"oldpassword": PASSWORD, "password1": "Wholly-new-77", "password2": "Wholly-new-77"}
    browser.post("/accounts/password/change/", fields)
    assert "https://market.example/accounts/" in str(mail.outbox[-1].body)
    assert "second.example" not in str(mail.outbox[-1].body)
