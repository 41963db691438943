"""Log-in, log-out and a forgotten password."""

import re

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.cast import PASSWORD, make_person

LOG_IN = "/accounts/login/"
pytestmark = pytest.mark.django_db


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def log_in(client: Client, login: str, password: str = PASSWORD, **more: str) -> int:
    return client.post(LOG_IN, {"login": login, "password": password, **more}).status_code


def test_the_form_has_the_fields_that_clients_rely_on(client: Client) -> None:
    page = client.get(LOG_IN).content.decode()
    assert all(f'name="{name}"' in page for name in ("login", "password", "remember"))


def test_a_person_logs_in_and_out(client: Client, buyer: User) -> None:
    assert log_in(client, "ANA@example.com") == 302
    assert is_signed_in(client)
    assert client.get("/accounts/logout/").status_code == 200
    client.post("/accounts/logout/")
    assert not is_signed_in(client)


def test_a_wrong_password_and_an_unknown_address_look_the_same(client: Client, buyer: User) -> None:
    pages = []
    for login in (buyer.email, "ghost@example.com"):
        page = client.post(LOG_IN, {"login": login, "password": "nothing like it"})
        assert "do not belong together" in page.content.decode()
        without_address = page.content.decode().replace(login, "ADDRESS")
        pages.append(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", without_address))
    assert pages[0] == pages[1]
    assert not is_signed_in(client)


def test_after_five_wrong_passwords_the_right_one_has_to_wait(client: Client, buyer: User) -> None:
    for _ in range(5):
        log_in(client, buyer.email, "wrong")
    page = client.post(LOG_IN, {"login": buyer.email, "password": PASSWORD})
    assert "Too many tries" in page.content.decode()
    assert not is_signed_in(client)


def test_thirty_tries_in_a_minute_from_one_place_get_the_429_page(client: Client) -> None:
    for number in range(30):
        log_in(client, f"{number}@example.net", "wrong")
    response = client.post(LOG_IN, {"login": "a@example.net", "password": "wrong"})
    assert response.status_code == 429
    assert 'class="brand"' in response.content.decode()


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example"]
)
def test_nobody_is_sent_to_another_site(client: Client, buyer: User, target: str) -> None:
    response = client.post(LOG_IN, {"login": buyer.email, "password": PASSWORD, "next": target})
    assert response.headers["Location"] == "/"


def test_an_inactive_person_is_told_so(client: Client, buyer: User) -> None:
    User.objects.filter(pk=buyer.pk).update(is_active=False)
    response = client.post(LOG_IN, {"login": buyer.email, "password": PASSWORD}, follow=True)
    assert "Account closed" in response.content.decode()
    assert not is_signed_in(client)


def test_the_public_password_opens_the_demo_accounts_in_debug_only(
    client: Client, settings: Settings
) -> None:
    sol = make_person("Sol")
    assert sol.email in settings.DEMO_ADDRESSES
    sol.set_password(settings.DEMO_PASSWORD)
    sol.save()
    log_in(client, sol.email, settings.DEMO_PASSWORD)
    assert not is_signed_in(client)
    settings.DEBUG = True
    log_in(client, sol.email, settings.DEMO_PASSWORD)
    assert is_signed_in(client)


def test_a_forgotten_password_is_chosen_anew_by_the_link_of_the_mail(
    client: Client, buyer: User
) -> None:
    response = client.post("/accounts/password/reset/", {"email": buyer.email}, follow=True)
    assert "Look at your mail" in response.content.decode()
    [message] = mail.outbox
    link = re.search(r"http://localhost(/accounts/password/reset/key/\S+)", str(message.body))
    assert link
    page = client.get(link[1], follow=True)
    form = page.redirect_chain[-1][0]
    client.post(form, {"password1": "another long one 7", "password2": "another long one 7"})
    assert log_in(client, buyer.email) == 200
    assert log_in(client, buyer.email, "another long one 7") == 302
    assert is_signed_in(client)
    again = Client().get(link[1], follow=True)
    assert "used already" in again.content.decode()


def test_a_reset_for_an_unknown_address_answers_the_same(client: Client) -> None:
    response = client.post("/accounts/password/reset/", {"email": "ghost@example.net"}, follow=True)
    assert "Look at your mail" in response.content.decode()
    assert mail.outbox[0].subject == "There is no account with this address"


@pytest.mark.parametrize(
    "path", ["/accounts/password/reset/", "/accounts/inactive/", "/accounts/password/reset/done/",
             "/accounts/password/reset/key/done/", "/accounts/password/reset/key/1-nonsense/"],
)  # fmt: skip
def test_every_page_of_signed_out_people_wears_our_clothes(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert 'class="brand"' in response.content.decode()


@pytest.mark.parametrize(
    "path", ["/accounts/email/", "/accounts/password/change/", "/accounts/reauthenticate/",
             "/accounts/logout/"],
)  # fmt: skip
def test_every_page_of_signed_in_people_wears_our_clothes(
    client: Client, buyer: User, path: str
) -> None:
    client.force_login(buyer)
    response = client.get(path)
    assert response.status_code == 200
    assert 'class="brand"' in response.content.decode()
    assert client.get("/accounts/password/set/").status_code == 302
