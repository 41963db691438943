"""Authenticator app and recovery codes, by the pages."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core import mail
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.tests.signing_in import (
    LOG_IN,
    app_code,
    confirm_password,
    is_signed_in,
    list_recovery_codes,
    open_browser,
    submit_app,
    turn_on_app,
)
from tests.cast import PASSWORD

AUTHENTICATE = "/accounts/2fa/authenticate/"
PAGES = (
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/recovery-codes/",
    "/accounts/2fa/recovery-codes/generate/",
    "/accounts/2fa/recovery-codes/download/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/2fa/reauthenticate/",
    "/accounts/2fa/webauthn/reauthenticate/",
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(buyer: User) -> Client:
    return open_browser(buyer)


def give_password(user: User) -> Client:
    """A second browser, where the password was right and the code is asked for."""
    browser = Client()
    response = browser.post(LOG_IN, {"login": user.email, "password": PASSWORD})
    assert response.headers["Location"] == AUTHENTICATE
    assert not is_signed_in(browser)
    return browser


@pytest.mark.parametrize("path", PAGES)
def test_signed_out_people_see_none_of_it(path: str, db: None) -> None:
    response = Client().get(path)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(LOG_IN)


@pytest.mark.parametrize("path", [PAGES[1], PAGES[3], PAGES[6]])
def test_the_password_is_asked_for_once_more(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert confirm_password(client, "wrong") == 200
    assert client.get(path).status_code == 302
    assert confirm_password(client) == 302
    assert client.get(path).status_code == 200


def test_an_app_is_turned_on_and_asked_for_at_the_next_sign_in(client: Client, buyer: User) -> None:
    secret = turn_on_app(client)
    assert mail.outbox[-1].subject == "The authenticator app is on"
    browser = give_password(buyer)
    assert 'class="brand"' in browser.get(AUTHENTICATE).content.decode()
    later = timezone.now() + timedelta(seconds=90)
    with time_machine.travel(later, tick=False):
        browser.post(AUTHENTICATE, {"code": app_code(secret)})
    assert is_signed_in(browser)


def test_the_secret_is_shown_as_a_picture_and_as_text_and_kept_encrypted(
    client: Client, buyer: User
) -> None:
    confirm_password(client)
    page = client.get(PAGES[1])
    secret = page.context["form"].secret
    html = page.content.decode()
    assert secret in html
    assert 'src="data:image/svg+xml;base64,' in html
    assert b"<svg" in base64.b64decode(page.context["totp_svg_data_uri"].partition(",")[2])
    assert "no-store" in page.headers["Cache-Control"]
    assert submit_app(client, secret) == 302
    kept = Authenticator.objects.get(user=buyer, type="totp").data["secret"]
    assert secret not in kept


def test_an_older_secret_key_still_opens_what_it_closed(
    client: Client, buyer: User, settings: Settings
) -> None:
    secret = turn_on_app(client)
    old = settings.SECRET_KEY
    for key, fallbacks, opens in [("new" * 20, [old], True), ("other" * 12, [], False)]:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = key, fallbacks
        browser = Client()
        browser.post(LOG_IN, {"login": buyer.email, "password": PASSWORD})
        later = timezone.now() + timedelta(seconds=90)
        with time_machine.travel(later, tick=False):
            browser.post(AUTHENTICATE, {"code": app_code(secret)})
            assert is_signed_in(browser) is opens


def test_a_code_of_the_app_is_good_once(client: Client, buyer: User) -> None:
    secret = turn_on_app(client)
    first, second = give_password(buyer), give_password(buyer)
    with time_machine.travel(timezone.now() + timedelta(seconds=90), tick=False):
        code = app_code(secret)
        first.post(AUTHENTICATE, {"code": code})
        page = second.post(AUTHENTICATE, {"code": code})
    assert is_signed_in(first)
    assert not is_signed_in(second)
    assert "This did not match" in page.content.decode()


def test_an_old_code_is_refused(client: Client, buyer: User) -> None:
    secret = turn_on_app(client)
    browser = give_password(buyer)
    stale = app_code(secret)
    with time_machine.travel(timezone.now() + timedelta(minutes=3), tick=False):
        browser.post(AUTHENTICATE, {"code": stale})
    assert not is_signed_in(browser)


def test_after_five_wrong_codes_the_right_one_has_to_wait(client: Client, buyer: User) -> None:
    secret = turn_on_app(client)
    browser = give_password(buyer)
    for number in range(5):
        browser.post(AUTHENTICATE, {"code": f"{number}" * 6})
    other_place = Client(REMOTE_ADDR="198.51.100.9")
    other_place.post(LOG_IN, {"login": buyer.email, "password": PASSWORD})
    with time_machine.travel(timezone.now() + timedelta(seconds=90), tick=False):
        page = other_place.post(AUTHENTICATE, {"code": app_code(secret)})
    assert "Too many tries" in page.content.decode()
    assert not is_signed_in(other_place)


def test_a_recovery_code_is_good_once(client: Client, buyer: User) -> None:
    turn_on_app(client)
    codes = list_recovery_codes(client)
    assert len(set(codes)) == 10
    first, second = give_password(buyer), give_password(buyer)
    first.post(AUTHENTICATE, {"code": codes[0]})
    second.post(AUTHENTICATE, {"code": codes[0]})
    assert is_signed_in(first)
    assert not is_signed_in(second)
    assert codes[0] not in list_recovery_codes(client)


def test_a_recovery_code_tried_by_many_at_once_lets_one_in(client: Client, buyer: User) -> None:
    turn_on_app(client)
    [code, *_] = list_recovery_codes(client)
    browsers = [give_password(buyer) for _ in range(4)]

    def try_code(browser: Client) -> bool:
        try:
            browser.post(AUTHENTICATE, {"code": code})
            return is_signed_in(browser)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(try_code, browsers)) == 1


def test_recovery_codes_are_downloaded_and_made_anew(client: Client, buyer: User) -> None:
    turn_on_app(client)
    codes = list_recovery_codes(client)
    download = client.get("/accounts/2fa/recovery-codes/download/")
    assert download.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in download.headers["Cache-Control"]
    assert all(code in download.content.decode() for code in codes)
    client.post("/accounts/2fa/recovery-codes/generate/")
    assert mail.outbox[-1].subject == "New recovery codes"
    assert not set(codes) & set(list_recovery_codes(client))
    browser = give_password(buyer)
    browser.post(AUTHENTICATE, {"code": codes[0]})
    assert not is_signed_in(browser)


def test_without_an_app_or_a_passkey_there_are_no_recovery_codes(client: Client) -> None:
    confirm_password(client)
    assert client.get("/accounts/2fa/recovery-codes/").status_code == 404
    page = client.post("/accounts/2fa/recovery-codes/generate/")
    assert "Recovery codes are for accounts" in page.content.decode()


def test_turning_the_app_off_is_told_by_mail(client: Client, buyer: User) -> None:
    turn_on_app(client)
    assert client.get("/accounts/2fa/totp/deactivate/").status_code == 200
    client.post("/accounts/2fa/totp/deactivate/")
    assert mail.outbox[-1].subject == "The authenticator app is off"
    assert not Authenticator.objects.filter(user=buyer).exists()
    assert is_signed_in(open_browser(buyer))


def test_a_deactivated_person_gets_in_by_no_factor(client: Client, buyer: User) -> None:
    secret = turn_on_app(client)
    browser = give_password(buyer)
    User.objects.filter(pk=buyer.pk).update(is_active=False)
    with time_machine.travel(timezone.now() + timedelta(seconds=90), tick=False):
        browser.post(AUTHENTICATE, {"code": app_code(secret)})
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "answer",
    ["", "null", "[]", "{}", '"x"', '{"id": 1}', '{"response": 3}', '{"id": "AA", "rawId": "AA",'
     ' "type": "public-key", "response": {"userHandle": "/", "clientDataJSON": "AA",'
     ' "authenticatorData": "AA", "signature": "AA"}}', "\x00", "[" * 2000],
)  # fmt: skip
def test_what_no_passkey_says_is_refused_everywhere(
    client: Client, buyer: User, answer: str
) -> None:
    confirm_password(client)
    visitor = Client()
    visitor.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"})
    refused = visitor.post("/accounts/2fa/webauthn/login/", {"credential": answer})
    assert refused.status_code == 302
    assert not is_signed_in(visitor)
    client.get("/accounts/2fa/webauthn/add/")
    page = client.post("/accounts/2fa/webauthn/add/", {"credential": answer, "name": "x"})
    assert page.status_code == 200
    assert not Authenticator.objects.exists()
    turn_on_app(client)
    browser = give_password(buyer)
    browser.get(AUTHENTICATE)
    assert browser.post(AUTHENTICATE, {"credential": answer}).status_code == 200
    assert not is_signed_in(browser)


def test_passkey_tries_are_limited(db: None) -> None:
    visitor = Client()
    path = "/accounts/2fa/webauthn/login/"
    answers = [visitor.post(path, {"credential": "{}"}).status_code for _ in range(11)]
    assert answers == [302] * 10 + [429]


def test_nobody_touches_the_passkeys_of_others(client: Client, stranger: User) -> None:
    theirs = Authenticator.objects.create(
        user=stranger, type="webauthn", data={"name": "Mine", "credential": {}}
    )
    confirm_password(client)
    for verb in ("edit", "remove"):
        path = f"/accounts/2fa/webauthn/keys/{theirs.pk}/{verb}/"
        assert client.get(path).status_code == 404
        assert client.post(path, {"name": "Yours"}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.data["name"] == "Mine"
