"""Refusals and failures."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, OperationalError, connection
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker, Settings
from redis.exceptions import RedisError

from accounts.models import User
from marketplace.listings.models import Listing
from tests.cast import PASSWORD

pytestmark = pytest.mark.usefixtures("as_served")

JSON = {"Accept": "application/json"}


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], Client]:
    """Makes the first page raise; the client answers as a server would."""

    def arrange(problem: Exception) -> Client:
        def fail(**filters: Any) -> None:
            raise problem

        monkeypatch.setattr("marketplace.listings.selectors.browse_listings", fail)
        return Client(raise_request_exception=False)

    return arrange


@pytest.mark.django_db
def test_a_missing_page_is_ours(client: Client) -> None:
    response = client.get("/nothing/here/")
    assert response.status_code == 404
    assert 'class="brand"' in response.content.decode()
    assert "Not found" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["application/json", "text/plain, application/json;q=0.5"])
def test_who_names_json_gets_json(client: Client, accept: str) -> None:
    response = client.get("/nothing/here/", headers={"Accept": accept})
    assert response.status_code == 404
    body = response.json()
    assert set(body) == {"code", "detail"}
    assert body["code"] == "not_found"


@pytest.mark.django_db
def test_who_takes_anything_gets_the_page(client: Client) -> None:
    response = client.get("/nothing/here/", headers={"Accept": "*/*"})
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_a_failure_is_a_page_without_details(breaks: Callable[[Exception], Client]) -> None:
    response = breaks(DatabaseError("password=secret")).get("/")
    assert response.status_code == 500
    assert "Something went wrong" in response.content.decode()
    assert "secret" not in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("problem", [OperationalError("down"), RedisError("down")])
def test_an_outage_says_to_try_again(
    breaks: Callable[[Exception], Client], settings: Settings, problem: Exception, debug: bool
) -> None:
    settings.DEBUG = debug
    client = breaks(problem)
    page = client.get("/")
    assert page.status_code == 503
    assert page.headers["Retry-After"] == "30"
    assert "not answering" in page.content.decode()
    assert client.get("/", headers=JSON).json()["code"] == "unavailable"


@pytest.mark.django_db
def test_nobody_logs_in_while_tries_cannot_be_counted(buyer: User) -> None:
    redis = "django.core.cache.backends.redis.RedisCache"
    nobody_there = {"default": {"BACKEND": redis, "LOCATION": "redis://127.0.0.1:9/0"}}
    client = Client(raise_request_exception=False)
    fields = {"login": buyer.email, "password": PASSWORD}
    with override_settings(CACHES=nobody_there):
        assert client.post("/accounts/login/", fields).status_code == 503
        assert "_auth_user_id" not in client.session
        client.force_login(buyer)
        assert client.get("/").status_code == 200
    assert Client().post("/accounts/login/", fields).status_code == 302


def test_a_failure_is_a_page_without_a_database_too(
    client: Client, django_db_blocker: DjangoDbBlocker
) -> None:
    client.raise_request_exception = False
    with django_db_blocker.block():
        response = client.get("/")
    assert response.status_code == 500
    assert 'class="brand"' in response.content.decode()


@pytest.mark.django_db
def test_a_failure_is_json_for_who_asked(breaks: Callable[[Exception], Client]) -> None:
    response = breaks(DatabaseError("password=secret")).get("/", headers=JSON)
    assert response.status_code == 500
    assert response.json()["code"] == "internal"


@pytest.mark.django_db
def test_a_refusal_is_ours(breaks: Callable[[Exception], Client]) -> None:
    response = breaks(PermissionDenied()).get("/")
    assert response.status_code == 403
    assert "Not for you" in response.content.decode()
    assert 'class="brand"' in response.content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_kindly(seller: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(seller)
    response = client.post("/sell/new/", {"title": "x"})
    assert response.status_code == 403
    assert "open for too long" in response.content.decode()
    assert client.post("/sell/new/", headers=JSON).json()["code"] == "csrf_failed"


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "status"), [("/nothing/here/", 404), ("/listings/nothing/", 404)])
def test_missing_pages_are_ours_in_debug_as_well(
    settings: Settings, path: str, status: int
) -> None:
    settings.DEBUG = True
    response = Client().get(path)
    assert response.status_code == status
    assert 'class="brand"' in response.content.decode()
    assert Client().get(path, headers=JSON).json()["code"] == "not_found"


@pytest.mark.django_db
def test_a_bad_request_is_ours_in_debug_as_well(
    settings: Settings, seller: User, listing: Listing
) -> None:
    settings.DEBUG = True
    client = Client()
    client.force_login(seller)
    response = client.post("/sell/walnut-sideboard/state/", {"state": "stolen"})
    assert response.status_code == 400
    assert "This did not work" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/listings/walnut-sideboard/", "/conversations/"])
def test_a_method_that_is_not_allowed_gets_a_page(
    client: Client, buyer: User, listing: Listing, path: str
) -> None:
    client.force_login(buyer)
    page = client.post(path)
    assert page.status_code == 405
    assert page.headers["Allow"]
    assert 'class="brand"' in page.content.decode()
    assert int(page.headers["Content-Length"]) == len(page.content)
    answer = client.post(path, headers=JSON)
    assert (answer.status_code, answer.headers["Allow"]) == (405, page.headers["Allow"])
    assert set(answer.json()) == {"code", "detail"}
    assert answer.json()["code"] == "method_not_allowed"


BOUNDLESS = {"data": b"x", "content_type": "multipart/form-data"}
LARGE = {"data": {"title": "x" * 300_000}}
MANY = {"data": {f"field{number}": "x" for number in range(2_000)}}
ELSEWHERE = {"data": {}, "headers": {"Host": "evil.example"}}


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("sent", [BOUNDLESS, LARGE, MANY, ELSEWHERE])
def test_what_cannot_be_read_is_refused_with_our_page(
    settings: Settings, seller: User, sent: dict[str, Any], debug: bool
) -> None:
    settings.DEBUG = debug
    client = Client(enforce_csrf_checks=True)
    client.force_login(seller)
    client.get("/sell/new/")
    page = client.post("/sell/new/", **encode(sent))
    assert page.status_code == 400
    assert "This did not work" in page.content.decode()
    assert 'class="brand"' in page.content.decode()
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert int(page.headers.get("Content-Length", len(page.content))) == len(page.content)
    answer = client.post("/sell/new/", **encode(sent, **JSON))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def encode(sent: dict[str, Any], **headers: str) -> dict[str, Any]:
    """As a browser sends a plain form, unless it says otherwise."""
    form = {"content_type": "application/x-www-form-urlencoded"}
    data = urlencode(sent["data"]) if isinstance(sent["data"], dict) else sent["data"]
    return form | sent | {"data": data, "headers": sent.get("headers", {}) | headers}


@pytest.mark.django_db
def test_a_failure_keeps_the_page_of_django_in_debug(
    breaks: Callable[[Exception], Client], settings: Settings
) -> None:
    settings.DEBUG = True
    page = breaks(DatabaseError("what happened")).get("/")
    assert page.status_code == 500
    assert "what happened" in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/nowhere/", "/conversations/", "/accounts/login/"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_a_query_with_too_many_fields_is_refused_and_is_no_failure(
    path: str, method: str, client: Client
) -> None:
    """Every page reads the query, the page that says so too."""
    query = "&".join(["a=1"] * 1_001)
    page = client.generic(method, f"{path}?{query}")
    assert (page.status_code, page.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    answer = client.generic(method, f"{path}?{query}", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert client.get(f"{path}?{query[:400]}").status_code != 400


@pytest.mark.django_db
def test_a_nul_in_a_query_is_refused(client: Client, staff: Any) -> None:
    client.force_login(staff)
    list_page = "/admin/accounts/user/"
    assert client.get(f"{list_page}?email=a").status_code == 200
    # SQLite can look for one, and finds nobody.
    expected = 400 if connection.vendor == "postgresql" else 200
    assert client.get(f"{list_page}?email=a%00b").status_code == expected


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/accounts/oidc/%00/login/", "/media/%00", "/%00"])
def test_an_address_with_a_nul_is_nobodys(path: str, client: Client) -> None:
    assert client.get(path).status_code == 404
    assert client.get(path, headers=JSON).json()["code"] == "not_found"
