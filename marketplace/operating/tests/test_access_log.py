"""Each request has its line and its id; who came in, or did not, has a record."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import AsyncClient, Client

from accounts.models import User
from marketplace.listings.models import Listing
from marketplace.operating.tests.lines import Lines
from tests.cast import PASSWORD

pytestmark = pytest.mark.usefixtures("as_served")

ClientOf = Callable[[User], Client]


def test_a_request_has_one_line_with_its_user(
    client_of: ClientOf, buyer: User, listing: Listing, written: Lines
) -> None:
    response = client_of(buyer).get(f"/listings/{listing.slug}/?q=purple-canary")
    (line,) = written.found("request")
    assert line["path"] == f"/listings/{listing.slug}/"
    assert (line["method"], line["status"], line["user"]) == ("GET", 200, buyer.pk)
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert "purple-canary" not in "".join(written.lines)


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("0b9d4f1e-from-the-proxy", True),
        ("short", False),
        ("a" * 65, False),
        ("with spaces and more", False),
        ("new\tline-of-mine", False),
        ("ünïcode-request", False),
    ],
)
def test_an_id_is_taken_only_when_it_is_well_formed(
    client: Client, given: str, is_taken: bool, db: None
) -> None:
    response = client.get("/health/live/", headers={"x-request-id": given})
    assert (response.headers["X-Request-ID"] == given) is is_taken
    assert response.headers["X-Request-ID"]


async def test_asynchronous_requests_have_ids_of_their_own() -> None:
    first = await AsyncClient().get("/health/live/")
    second = await AsyncClient().get("/health/live/")
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


def test_a_refused_page_has_one_record(client_of: ClientOf, stranger: User, written: Lines) -> None:
    path = "/conversation/0191f3c0-7b7c-7d5e-9f3a-1b2c3d4e5f60/"
    assert client_of(stranger).get(path).status_code == 404
    assert len(written.lines) == 2  # The other one is the sign-in.
    assert written.found("request")[0]["status"] == 404
    assert written.found("request")[0]["user"] == stranger.pk


def test_pages_for_machines_are_quiet(client: Client, db: None, written: Lines) -> None:
    client.get("/health/live/")
    assert not written.found("request")


def sign_in(client: Client, password: str, email: str = "ana@example.com") -> None:
    client.post("/accounts/login/", {"login": email, "password": password})


def test_signing_in_and_out_are_one_record_each(
    client: Client, buyer: User, written: Lines
) -> None:
    sign_in(client, PASSWORD)
    client.post("/accounts/logout/")
    (line,) = written.found("signed in")
    assert line["user"] == buyer.pk
    (line,) = written.found("signed out")
    assert line["user"] == buyer.pk


def test_a_sign_in_that_fails_names_nobody_in_full(
    client: Client, buyer: User, written: Lines
) -> None:
    sign_in(client, "not the password")
    (line,) = written.found("sign-in failed")
    assert line["address"] == "a***@example.com"
    assert line["request_id"]
    assert EmailAddress.objects.filter(user=buyer).exists()
    assert "not the password" not in json.dumps(written.found("sign-in failed"))


def test_too_many_tries_are_a_record(client: Client, buyer: User, written: Lines) -> None:
    for _ in range(6):
        sign_in(client, "not the password")
    assert len(written.found("too many tries to sign in")) == 1


def test_a_view_that_fails_leaves_its_place_and_no_words(
    client: Client, db: None, written: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("purple" + "-canary")  # A traceback shows the source.

    monkeypatch.setattr("marketplace.listings.views.render", fail)
    client.raise_request_exception = False
    assert client.get("/").status_code == 500
    failures = [json.loads(line) for line in written.lines if '"traceback"' in line]
    assert len(failures) == 1
    assert failures[0]["error"] == "ValueError"
    assert "purple-canary" not in "".join(written.lines)
