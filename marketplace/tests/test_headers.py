"""What every answer says to browsers."""

from collections.abc import Callable

import pytest
from django.test import AsyncClient, Client

from accounts.models import User
from marketplace.listings.models import Listing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_served")]
PAGES = [
    "/",
    "/listings/walnut-sideboard/",
    "/listings/nothing/",
    "/sell/",
    "/sell/new/",
    "/conversations/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/profile/",
    "/accounts/password/reset/",
    "/admin/",
    "/health/live/",
    "/nothing/here/",
    "/media/nothing",
]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("signed_in", [False, True])
def test_no_page_allows_anything_inline(
    client_of: Callable[[User], Client],
    staff: User,
    listing: Listing,
    path: str,
    signed_in: bool,
) -> None:
    client = client_of(staff) if signed_in else Client()
    response = client.get(path)
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "connect-src 'self' ws://testserver wss://testserver" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    page = response.content.decode()
    assert " style=" not in page
    assert " onclick=" not in page


@pytest.mark.parametrize("path", [page for page in PAGES if not page.startswith("/health")])
def test_nobody_keeps_a_page_of_a_signed_in_person(
    client_of: Callable[[User], Client], buyer: User, listing: Listing, path: str
) -> None:
    response = client_of(buyer).get(path)
    assert "private" in response.headers["Cache-Control"]
    assert "no-store" in response.headers["Cache-Control"]


def test_a_page_without_a_session_may_be_kept(client: Client, listing: Listing) -> None:
    assert "no-store" not in client.get("/").headers.get("Cache-Control", "")


async def test_the_headers_are_there_in_async_too(listing: Listing) -> None:
    response = await AsyncClient().get("/health/live/")
    assert "Content-Security-Policy" in response.headers


def test_a_foreign_host_gets_a_plain_page(client: Client) -> None:
    response = client.get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "evil.example" not in response.headers["Content-Security-Policy"]
    assert "This did not work" in response.content.decode()
