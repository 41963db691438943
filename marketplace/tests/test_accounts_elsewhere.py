"""Signing in with an account elsewhere: real HTTP between us and a provider on loopback."""

import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.tests.signing_in import confirm_password, is_signed_in, open_browser, turn_on_app
from marketplace.privacy.models import DataExport
from marketplace.social_providers import social_providers
from marketplace.tests.identity_provider import CLIENT_ID, CLIENT_SECRET, Provider, run_provider

START = "/accounts/oidc/openid/login/"
CONNECTIONS = "/accounts/3rdparty/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with run_provider() as running:
        monkeypatch.setenv("OPENID_CONNECT_URL", running.url)
        monkeypatch.setenv("OPENID_CONNECT_NAME", "Village Hall")
        monkeypatch.setenv("OPENID_CONNECT_CLIENT_ID", CLIENT_ID)
        monkeypatch.setenv("OPENID_CONNECT_CLIENT_SECRET", CLIENT_SECRET)
        settings.SOCIALACCOUNT_PROVIDERS = social_providers()
        yield running


class Refuse(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def visit(
    browser: Client, provider: Provider, process: str = "login", **claims: Any
) -> HttpResponse:
    """From our button to the provider and back, as a browser goes."""
    provider.claims = {"sub": "77", "name": "Ines Prat", **claims}
    page = browser.post(f"{START}?process={process}")
    if page.status_code == 302:
        return page  # type: ignore[return-value]
    target = page.context["target"]
    assert target.startswith(f"{provider.url}/authorize?")
    try:
        urllib.request.build_opener(Refuse).open(target)
    except urllib.error.HTTPError as redirect:
        back = urllib.parse.urlsplit(redirect.headers["Location"])
    assert back.netloc == "testserver"
    return browser.get(f"{back.path}?{back.query}")  # type: ignore[return-value]


def test_without_settings_there_is_no_button_and_no_way_in(client: Client) -> None:
    assert "Go on with" not in client.get("/accounts/login/").content.decode()
    assert client.get(START).status_code == 404
    assert client.post(START).status_code == 404


def test_with_settings_there_is_a_button(client: Client, provider: Provider) -> None:
    for path in ("/accounts/login/", "/accounts/signup/"):
        assert "Go on with Village Hall" in client.get(path).content.decode()
    assert "Village Hall tells us" in client.get(START).content.decode()


def test_the_way_there_is_a_page_that_the_browser_may_leave_by(
    client: Client, provider: Provider
) -> None:
    page = client.post(f"{START}?process=login")
    assert page.status_code == 200
    assert f'content="0; url={provider.url}/authorize?' in page.content.decode()
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.context["target"]).query))
    assert query["code_challenge_method"] == "S256"
    assert set(query["scope"].split()) == {"openid", "profile", "email"}


def test_somebody_new_with_a_verified_address_is_in(client: Client, provider: Provider) -> None:
    visit(client, provider, email="ines@example.net", email_verified=True)
    assert is_signed_in(client)
    person = User.objects.get()
    assert (person.display_name, person.email) == ("Ines Prat", "ines@example.net")
    assert not person.has_usable_password()
    [asked] = [fields for path, fields in provider.asked if path == "/token"]
    assert asked["client_secret"] == CLIENT_SECRET
    assert "code_verifier" in asked


@pytest.mark.parametrize("verified", [False, None, "false", "true", 0])
def test_an_address_that_is_not_verified_is_confirmed_by_a_code_first(
    client: Client, provider: Provider, verified: object
) -> None:
    visit(client, provider, email="ines@example.net", email_verified=verified)
    assert not is_signed_in(client)
    assert mail.outbox[-1].to == ["ines@example.net"]
    assert not EmailAddress.objects.filter(verified=True).exists()


def test_a_verified_address_that_is_somebodys_signs_them_in_and_is_told(
    client: Client, provider: Provider, buyer: User
) -> None:
    visit(client, provider, email="ANA@example.com", email_verified=True)
    assert is_signed_in(client)
    assert client.session["_auth_user_id"] == str(buyer.pk)
    assert mail.outbox[-1].subject == "An account elsewhere is connected"
    assert "Village Hall" in str(mail.outbox[-1].body)


@pytest.mark.parametrize("verified", [False, None, "false", "true", 0])
def test_an_unverified_address_takes_over_nobody_and_tells_nothing(
    client: Client, provider: Provider, buyer: User, verified: object
) -> None:
    response = visit(client, provider, email=buyer.email, email_verified=verified)
    assert not is_signed_in(client)
    assert not SocialAccount.objects.exists()
    new = visit(Client(), provider, sub="78", email="new@example.net", email_verified=verified)
    assert response.headers["Location"] == new.headers["Location"]
    assert mail.outbox[0].to == [buyer.email]
    assert mail.outbox[0].subject == "You have an account already"


def test_whoever_squats_an_address_loses_it_to_whom_it_belongs(
    client: Client, provider: Provider, buyer: User
) -> None:
    squatter = open_browser(buyer)
    EmailAddress.objects.update(verified=False)
    visit(client, provider, email=buyer.email, email_verified=True)
    buyer.refresh_from_db()
    assert not buyer.has_usable_password()
    assert not is_signed_in(squatter)


def test_the_second_factor_is_asked_for_here_too(
    client: Client, provider: Provider, buyer: User
) -> None:
    turn_on_app(open_browser(buyer))
    response = visit(client, provider, email=buyer.email, email_verified=True)
    assert response.headers["Location"] == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)


def test_a_deactivated_person_does_not_come_in_from_elsewhere(
    client: Client, provider: Provider, buyer: User
) -> None:
    visit(client, provider, email=buyer.email, email_verified=True)
    client.post("/accounts/logout/")
    User.objects.update(is_active=False)
    visit(client, provider, email=buyer.email, email_verified=True)
    assert not is_signed_in(client)


def test_an_account_elsewhere_is_connected_and_removed(provider: Provider, buyer: User) -> None:
    browser = open_browser(buyer)
    confirm_password(browser)
    assert "Go on with Village Hall" in browser.get(CONNECTIONS).content.decode()
    visit(browser, provider, "connect", email="ana.elsewhere@example.org", email_verified=True)
    account = SocialAccount.objects.get(user=buyer)
    assert "Village Hall" in browser.get(CONNECTIONS).content.decode()
    other = Client()
    visit(other, provider, email="ana.elsewhere@example.org", email_verified=True)
    assert other.session["_auth_user_id"] == str(buyer.pk)
    browser.post(CONNECTIONS, {"account": account.pk})
    assert not SocialAccount.objects.exists()
    assert mail.outbox[-1].subject == "An account elsewhere is removed"


def test_the_only_way_in_is_not_removed(client: Client, provider: Provider) -> None:
    visit(client, provider, email="ines@example.net", email_verified=True)
    page = client.post(CONNECTIONS, {"account": SocialAccount.objects.get().pk})
    assert "Choose a password first" in page.content.decode()
    assert SocialAccount.objects.exists()
    assert 'href="/accounts/password/set/"' in client.get("/accounts/").content.decode()
    assert client.get("/accounts/password/set/").status_code == 200


# --- Nothing to type once more --------------------------------------------------------------------

NEW = "Wholly-new-77"
DECIDING = (
    "/accounts/password/set/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/2fa/totp/activate/",
    "/accounts/deactivate/",
    "/accounts/privacy/erase/",
    "/accounts/privacy/export/",
)


def test_a_session_that_is_found_later_decides_nothing(client: Client, provider: Provider) -> None:
    visit(client, provider, email="ines@example.net", email_verified=True)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        for path in DECIDING:
            fields = {"password1": NEW, "password2": NEW, "address": "ines@example.net"}
            answer = client.post(path, fields)
            assert answer.status_code == 302, path
            assert answer.headers["Location"].startswith("/accounts/sign-in-again/?next="), path
        client.post("/accounts/email/", {"email": "thief@example.org", "action_add": ""})
        visit_only = client.post(f"{START}?process=connect")
        assert visit_only.status_code in (200, 302)
    person = User.objects.get()
    assert person.is_active
    assert not person.has_usable_password()
    assert not DataExport.objects.exists()
    assert not EmailAddress.objects.filter(email="thief@example.org").exists()


def test_signing_in_there_once_more_goes_on(client: Client, provider: Provider) -> None:
    visit(client, provider, email="ines@example.net", email_verified=True)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        answer = client.get("/accounts/password/set/", follow=True)
        page = answer.content.decode()
        assert "Go on with Village Hall" in page
        assert "next=%2Faccounts%2Fpassword%2Fset%2F" in page
        back = visit(client, provider, email="ines@example.net", email_verified=True)
        assert back.status_code == 302
        client.post("/accounts/password/set/", {"password1": NEW, "password2": NEW})
    assert User.objects.get().check_password(NEW)


def test_whoever_has_nothing_at_all_is_told_what_to_do(
    client_of: Callable[[User], Client], buyer: User
) -> None:
    buyer.set_unusable_password()
    buyer.save()
    browser = client_of(buyer)
    page = browser.get("/accounts/password/set/", follow=True).content.decode()
    assert "Sign out, then choose" in page
    assert Client().get("/accounts/sign-in-again/").status_code == 302


def test_nobody_removes_the_accounts_of_others(
    client: Client, provider: Provider, stranger: User
) -> None:
    visit(client, provider, email="ines@example.net", email_verified=True)
    browser = open_browser(stranger)
    confirm_password(browser)
    browser.post(CONNECTIONS, {"account": SocialAccount.objects.get().pk})
    assert SocialAccount.objects.exists()


def test_whoever_has_no_fit_name_there_is_asked_for_one(client: Client, provider: Provider) -> None:
    response = visit(client, provider, name="@", email="ines@example.net", email_verified=True)
    assert response.headers["Location"] == "/accounts/3rdparty/signup/"
    assert "Your name" in client.get("/accounts/3rdparty/signup/").content.decode()
    fields = {"display_name": "Ines", "email": "ines@example.net"}
    client.post("/accounts/3rdparty/signup/", fields)
    assert is_signed_in(client)
    assert User.objects.get().display_name == "Ines"


def test_a_callback_that_nobody_asked_for_is_refused(client: Client, provider: Provider) -> None:
    provider.claims = {"sub": "1", "email": "ines@example.net", "email_verified": True}
    page = client.get(f"{START}callback/?code=c&state=made-up")
    assert "That did not work" in page.content.decode()
    assert not User.objects.exists()


def test_a_provider_that_is_down_is_said_in_words(client: Client, provider: Provider) -> None:
    provider.shutdown()
    provider.server_close()
    page = client.post(f"{START}?process=login")
    assert "That did not work" in page.content.decode()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"GOOGLE_CLIENT_ID": "x"}, "GOOGLE_CLIENT_SECRET"),
        ({"OPENID_CONNECT_URL": "https://login.example"}, "OPENID_CONNECT_CLIENT_ID"),
    ],
)
def test_half_a_setting_stops_the_start(
    variables: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        social_providers()
    assert sentence in str(stopped.value)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://login.example", "must begin with https://"),
        ("http://10.0.0.7:8080/realm", "must begin with https://"),
        ("login.example", "must look like https://login.example"),
        ("ftp://login.example", "must look like https://login.example"),
        ("https:///realm", "must look like https://login.example"),
        ("https://login.example/?realm=1", "must look like https://login.example"),
        ("https://login.example/#realm", "must look like https://login.example"),
        ("https://me:p4ss@login.example", "must look like https://login.example"),
        ("https://login.example:port", "cannot be read"),
    ],
)
def test_a_provider_that_cannot_be_believed_stops_the_start(
    url: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as stopped:
        read_provider(url, monkeypatch)
    assert f"OPENID_CONNECT_URL {sentence}" in str(stopped.value)
    assert "p4ss" not in str(stopped.value)


@pytest.mark.parametrize(
    ("url", "debug"),
    [
        ("https://login.example/realms/one/", "0"),
        ("http://127.0.0.1:9000", "0"),
        ("http://localhost:9000", "0"),
        ("http://login.example", "1"),
    ],
)
def test_https_or_this_machine_or_debug_is_believed(
    url: str, debug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUG", debug)
    assert read_provider(url, monkeypatch) == url.rstrip("/")


def read_provider(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENID_CONNECT_URL", url)
    monkeypatch.setenv("OPENID_CONNECT_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("OPENID_CONNECT_CLIENT_SECRET", CLIENT_SECRET)
    [app] = social_providers()["openid_connect"]["APPS"]
    return str(app["settings"]["server_url"])


def test_google_needs_only_its_two_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLIENT_ID", "id")
    monkeypatch.setenv("GOOGLE_CLIENT_SECRET", "secret")
    [google] = social_providers()["openid_connect"]["APPS"]
    assert google["provider_id"] == "google"
    assert google["settings"]["server_url"] == "https://accounts.google.com"
