"""Limits on tries, and what does not get around them."""

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.tests.signing_in import LOG_IN, confirm_password, is_signed_in, open_browser
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


def try_password(client: Client, login: str, password: str = "wrong", **headers: str) -> str:
    fields = {"login": login, "password": password}
    return client.post(LOG_IN, fields, headers=headers).content.decode()


def test_a_made_up_address_of_origin_gets_around_nothing(client: Client) -> None:
    statuses = []
    with time_machine.travel(timezone.now(), tick=False):
        for number in range(100):
            forged = {"X-Forwarded-For": f"10.9.{number}.1"}
            answer = client.post(LOG_IN, {"login": "x", "password": "y"}, headers=forged)
            statuses.append(answer.status_code)
    assert statuses == [200] * 30 + [429] * 70


def test_behind_one_proxy_only_what_it_wrote_counts(client: Client, settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for n in range(31):
        forged = {"X-Forwarded-For": f"10.9.{n}.1, 203.0.113.7"}
        last = client.post(LOG_IN, {"login": "x", "password": "y"}, headers=forged)
    assert last.status_code == 429
    other = {"X-Forwarded-For": "203.0.113.7, 198.51.100.9"}
    assert client.post(LOG_IN, {"login": "x"}, headers=other).status_code == 200


def test_a_right_password_in_between_does_not_start_the_count_anew(
    buyer: User, stranger: User
) -> None:
    client = Client()
    for number in range(9):
        try_password(client, f"{number}@example.net")
    assert is_signed_in(open_browser(stranger, address="127.0.0.1"))
    for number in range(9):
        page = try_password(client, f"more-{number}@example.net")
    assert "Too many tries" in page


def test_spellings_of_one_address_share_one_count(client: Client, buyer: User) -> None:
    for login in ("ana@example.com", "ANA@example.com", " Ana@Example.com", "aNa@EXAMPLE.COM "):
        try_password(client, login)
    try_password(client, "ana@example.com")
    assert "Too many tries" in try_password(client, "Ana@example.com", PASSWORD)


def test_an_address_that_only_looks_alike_opens_nothing(client: Client, buyer: User) -> None:
    for login in ("aná@example.com", "ａna@example.com", "a.na@example.com"):
        try_password(client, login, PASSWORD)
        assert not is_signed_in(client)


def test_confirming_the_password_is_limited(buyer: User) -> None:
    client = open_browser(buyer)
    answers = [confirm_password(client, "wrong") for _ in range(11)]
    assert answers[-1] == 429
    assert confirm_password(client) == 429


def test_changing_the_password_is_limited(buyer: User) -> None:
    client = open_browser(buyer)
    fields = {"oldpassword": "wrong", "password1": "x", "password2": "x"}
    answers = [client.post("/accounts/password/change/", fields).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_nothing_but_the_right_password_signs_in(client: Client, buyer: User) -> None:
    for password in ("", "None", "null", PASSWORD.upper(), PASSWORD + " x", "\x00"):
        try_password(client, buyer.email, password)
        assert not is_signed_in(client), password
