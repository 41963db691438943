"""Guessing: who is here, which password, which code."""

import re
import threading
from typing import Any

import pytest
from allauth.account import forms as allauth_forms
from django.contrib.auth import hashers
from django.core import mail
from django.db import connections
from django.test import Client

from accounts.models import User
from accounts.tests.signing_in import LOG_IN, is_signed_in, read_mailed_code
from tests.cast import PASSWORD
from tests.security.bodies import NEW_PASSWORD

RESET = "/accounts/password/reset/"
CONFIRM = "/accounts/confirm-email/"


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that is put through the slow function, which is what takes the time."""
    passwords: list[str] = []

    class CountingHasher(hashers.MD5PasswordHasher):
        def encode(self, password: str, salt: str) -> str:
            passwords.append(password)
            return super().encode(password, salt)

    monkeypatch.setattr(hashers, "get_hasher", lambda algorithm="default": CountingHasher())
    monkeypatch.setattr(hashers, "identify_hasher", lambda encoded: CountingHasher())
    return passwords


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["known", "unknown", "deactivated"])
def test_a_sign_in_takes_as_much_work_whoever_it_is_for(
    state: str, client: Client, buyer: User, hashed: list[str]
) -> None:
    login = "ghost@example.com" if state == "unknown" else buyer.email
    User.objects.filter(pk=buyer.pk).update(is_active=state != "deactivated")
    client.post(LOG_IN, {"login": login, "password": "nothing like it"})
    assert hashed == ["nothing like it"]


@pytest.mark.django_db
def test_a_reset_answers_the_same_and_always_sends_one_mail(client: Client, buyer: User) -> None:
    """As much is sent and as much is shown, so that neither says whether there is an account."""
    pages = []
    for address in (buyer.email, "ghost@example.com"):
        answer = Client().post(RESET, {"email": address}, follow=True)
        page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
        pages.append((answer.redirect_chain, page.replace(address, "")))
    assert pages[0] == pages[1]
    assert len(mail.outbox) == 2


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_once_are_no_more_than_a_few(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a thread of its own, with the same cookie and all at the same moment."""
    compared: list[str] = []
    form = allauth_forms.ConfirmEmailVerificationCodeForm
    compare = form.clean_code

    def note_and_compare(self: Any) -> str:
        compared.append(self.cleaned_data["code"])
        return str(compare(self))

    fields = {"display_name": "Nia", "email": "nia@example.org", "password1": NEW_PASSWORD}
    client.post("/accounts/signup/", fields)
    code = read_mailed_code()
    monkeypatch.setattr(form, "clean_code", note_and_compare)
    barrier = threading.Barrier(8)

    def guess(text: str) -> None:
        other = Client()
        other.cookies = client.cookies
        barrier.wait(20)
        other.post(CONFIRM, {"code": text})
        connections.close_all()

    threads = [threading.Thread(target=guess, args=[f"{n:03d}-{n:03d}"]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert 1 <= len(compared) <= 3
    client.post(CONFIRM, {"code": code})
    assert not is_signed_in(client)  # The code is spent with its guesses.


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", [LOG_IN, "/accounts/reauthenticate/", "/accounts/password/change/"]
)
def test_no_door_takes_a_wrong_password(path: str, staff: User, client: Client) -> None:
    """Each place that asks for one, with a wrong one and with the right one; the admin's own page
    leads to the first of them."""
    assert client.get("/admin/login/").headers["Location"].startswith(LOG_IN)
    if path != LOG_IN:
        client.force_login(staff)
    found = []
    for password in ("wrong", "", PASSWORD + "x"):
        answer = client.post(path, fields_with(password, staff), follow=True)
        found.append(went_through(client, path, answer))
    assert found == [False] * 3
    assert went_through(client, path, client.post(path, fields_with(PASSWORD, staff), follow=True))


def fields_with(password: str, user: User) -> dict[str, str]:
    names = {"login": user.email, "password": password}
    names |= {"oldpassword": password, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    return names


def went_through(client: Client, path: str, answer: Any) -> bool:
    if path == LOG_IN:
        return is_signed_in(client)
    return bool(answer.redirect_chain)
