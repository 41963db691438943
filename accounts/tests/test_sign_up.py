"""Making an account, through the pages and the mail."""

import re
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.cast import PASSWORD

SIGN_UP = "/accounts/signup/"
CONFIRM = "/accounts/confirm-email/"
CODE = re.compile(r"^[A-Z0-9]{3,4}-?[A-Z0-9]{3,4}$", re.MULTILINE)

pytestmark = pytest.mark.django_db


def fill_in(**changes: str) -> dict[str, str]:
    return {
        "display_name": "Ines Prat",
        "email": "ines@example.net",
        "password1": PASSWORD,
        "time_zone": "Europe/Madrid",
    } | changes


def read_code() -> str:
    found = CODE.search(str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[0]


def test_somebody_signs_up_with_the_code_of_the_mail_and_lands_where_they_were(
    client: Client,
) -> None:
    response = client.post(SIGN_UP, fill_in(next="/listings/walnut-sideboard/#ask"))
    assert response.headers["Location"].startswith(CONFIRM)
    assert "_auth_user_id" not in client.session
    page = client.get(CONFIRM).content.decode()
    assert "ines@example.net" in page
    assert 'name="code"' in page

    response = client.post(CONFIRM, {"code": read_code()})

    assert response.status_code == 302
    assert response.headers["Location"] == "/listings/walnut-sideboard/#ask"
    person = User.objects.get()
    assert client.session["_auth_user_id"] == str(person.pk)
    assert (person.display_name, person.time_zone) == ("Ines Prat", "Europe/Madrid")


def test_the_mail_has_the_code_as_text_and_as_html(client: Client) -> None:
    client.post(SIGN_UP, fill_in())
    [message] = mail.outbox
    assert message.to == ["ines@example.net"]
    assert read_code() in message.subject
    [alternative] = message.alternatives  # type: ignore[attr-defined]
    assert alternative.mimetype == "text/html"
    assert read_code() in alternative.content


def test_a_wrong_code_says_so_and_three_of_them_end_it(client: Client) -> None:
    client.post(SIGN_UP, fill_in())
    for _ in range(2):
        page = client.post(CONFIRM, {"code": "WRONGX"})
        assert "This is not the code" in page.content.decode()
    response = client.post(CONFIRM, {"code": "WRONGX"})
    assert response.headers["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session


def test_a_new_code_can_be_asked_for(client: Client) -> None:
    client.post(SIGN_UP, fill_in())
    first = read_code()
    assert "Send a new code" in client.get(CONFIRM).content.decode()
    from django.core.cache import cache

    cache.clear()  # One mail in ten seconds and address: the ten seconds are over.
    client.post(CONFIRM, {"action": "resend"})
    assert len(mail.outbox) == 2
    assert read_code() != first
    assert client.post(CONFIRM, {"code": read_code()}).status_code == 302
    assert "_auth_user_id" in client.session


def test_a_known_address_gets_the_same_answer_as_a_new_one(buyer: User) -> None:
    new, known = Client(), Client()
    answers = [
        new.post(SIGN_UP, fill_in()),
        known.post(SIGN_UP, fill_in(email=buyer.email.upper())),
    ]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    pages = [plain(new, "ines@example.net"), plain(known, buyer.email)]
    assert pages[0] == pages[1]
    assert mail.outbox[1].subject == "You have an account already"
    assert User.objects.filter(email=buyer.email).count() == 1


def test_a_known_address_takes_as_much_hashing_as_a_new_one(
    buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    class CountingHasher(hashers.MD5PasswordHasher):
        def encode(self, password: str, salt: str) -> str:
            hashed.append(password)
            return super().encode(password, salt)

    monkeypatch.setattr(hashers, "get_hasher", lambda algorithm="default": CountingHasher())
    counts = []
    for address in ("ines@example.net", buyer.email):
        hashed.clear()
        assert Client().post(SIGN_UP, fill_in(email=address)).status_code == 302
        counts.append(len(hashed))
    assert counts == [1, 1]


def plain(client: Client, address: str) -> str:
    """The page without what must differ: the address and the tokens."""
    page = client.get(CONFIRM).content.decode().replace(address, "ADDRESS")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("A", "at least 2"),
        ("x" * 61, "at most 60"),
        ("ines@example.net", "looks like an e-mail address"),
        ("Ines\u202egnp.exe", "letters, digits and signs"),
        ("Ines\x07", "letters, digits and signs"),
        ("… !", "at least one letter"),
        ("", "required"),
    ],
)
def test_a_name_that_others_should_not_see_is_refused(
    client: Client, name: str, sentence: str
) -> None:
    response = client.post(SIGN_UP, fill_in(display_name=name))
    assert response.status_code == 200
    assert sentence in " ".join(response.context["form"].errors["display_name"])
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["Ana Ríos", "李雷", "O’Neill 3rd", "Jo"])
def test_an_ordinary_name_is_taken(client: Client, name: str) -> None:
    client.post(SIGN_UP, fill_in(display_name=f"  {name} "))
    assert User.objects.get().display_name == name


def test_a_time_zone_that_does_not_exist_is_left_out(client: Client) -> None:
    client.post(SIGN_UP, fill_in(time_zone="../../etc/passwd"))
    assert User.objects.get().time_zone == ""


@pytest.mark.parametrize(
    "changes",
    [{"email": "not an address"}, {"email": "a\x00b@example.net"}, {"password1": "12345678"}],
)
def test_bad_input_keeps_what_was_typed(client: Client, changes: dict[str, str]) -> None:
    response = client.post(SIGN_UP, fill_in(**changes))
    assert response.status_code == 200
    assert 'value="Ines Prat"' in response.content.decode()
    assert not User.objects.exists()


def test_too_many_sign_ups_from_one_place_get_a_page_with_429(client: Client) -> None:
    for number in range(20):
        assert client.post(SIGN_UP, fill_in(email=f"{number}")).status_code == 200
    response = client.post(SIGN_UP, fill_in())
    assert response.status_code == 429
    assert "Too many tries" in response.content.decode()
    assert 'class="brand"' in response.content.decode()
    assert not User.objects.exists()


def test_a_mail_server_that_is_down_costs_no_page(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise SMTPServerDisconnected("down")

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", fail)
    response = client.post(SIGN_UP, fill_in(), follow=True)
    assert response.status_code == 200
    assert "We could not send the mail" in response.content.decode()


def test_signing_up_is_in_the_language_of_the_browser(client: Client, settings: Settings) -> None:
    page = client.get(SIGN_UP, headers={"Accept-Language": "es"})
    assert page.headers["Content-Language"] == "es"
