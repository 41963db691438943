"""The headers that protect people, on everything that every address answers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.templatetags.static import static
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from pytest_django import Settings

from marketplace.listings.models import Listing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_served")]

HEADERS = {
    "Content-Security-Policy": r"default-src 'none'; (?!.*unsafe).*frame-ancestors 'none'.*",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": r"camera=\(\), .*",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# What a path's variable may be: something there is nothing for, so that the answer is a refusal.
SAMPLES = {"int": "1", "uuid": "00000000-0000-4000-8000-000000000000"}
VARIABLE = re.compile(r"<(?:(?P<converter>\w+):)?\w+>")
GROUP = re.compile(r"\(\?P<\w+>[^()]*(?:\([^()]*\)[^()]*)*\)")


def list_paths(patterns: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    for entry in patterns:
        path = before + write_sample(entry)
        if isinstance(entry, URLResolver):
            yield from list_paths(entry.url_patterns, path)
        else:
            yield path


def write_sample(entry: URLPattern | URLResolver) -> str:
    pattern = str(entry.pattern)
    if isinstance(entry.pattern, RoutePattern):
        return VARIABLE.sub(lambda found: SAMPLES.get(found["converter"] or "", "x"), pattern)
    return GROUP.sub("x", pattern).strip("^$").replace("\\Z", "").replace("(?:.*)", "x")


def expect_headers(answer: HttpResponseBase, *, also: dict[str, str] | None = None) -> None:
    for name, pattern in {**HEADERS, **(also or {})}.items():
        found = answer.headers.get(name, "missing")
        assert re.fullmatch(pattern, found), f"{name}: {found} ({answer.status_code})"


@pytest.fixture
def over_https(settings: Settings) -> None:
    """As settings.py has it when SITE_URL is https."""
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SECURE_SSL_REDIRECT = True


def is_signed_in(client: Client) -> bool:
    cookie = client.cookies.get(django_settings.SESSION_COOKIE_NAME)
    return bool(cookie and cookie.value)


@pytest.mark.parametrize("method", ["get", "post", "put"])
@pytest.mark.parametrize("who", ["nobody", "buyer", "staff"])
def test_every_address_answers_with_every_header(
    over_https: None,
    request: pytest.FixtureRequest,
    who: str,
    method: str,
) -> None:
    paths = list(list_paths(get_resolver().url_patterns))
    assert len(paths) > 60
    person = None if who == "nobody" else request.getfixturevalue(who)
    statuses = set()
    client = Client()
    for path in paths:
        if person and not is_signed_in(client):  # What came before may have ended it.
            client.force_login(person)
        answer = getattr(client, method)(path, secure=True)
        statuses.add(answer.status_code)
        try:
            expect_headers(answer)
        except AssertionError as problem:
            raise AssertionError(f"{method} {path}: {problem}") from None
    # Negative control: these are not one and the same refusal.
    assert len(statuses) >= 3


def test_what_lies_outside_of_the_addresses_has_them_too(
    over_https: None, client: Client, listing: Listing
) -> None:
    answers = {
        "a page": (client.get("/", secure=True), 200),
        "nothing": (client.get("/nothing/", secure=True), 404),
        "a missing slash": (client.get("/conversations", secure=True), 301),
        "a static file": (client.get(static("marketplace/css/base.css"), secure=True), 200),
        "no static file": (client.get("/static/nothing.css", secure=True), 404),
        "a foreign host": (client.get("/", secure=True, headers={"host": "evil.example"}), 400),
        "too large": (
            client.post("/accounts/login/", {"login": "x" * 300_000}, "text/plain", secure=True),
            200,
        ),
    }
    for name, (answer, status) in answers.items():
        assert answer.status_code == status, name
        expect_headers(answer)


def test_a_failure_has_them_too(
    over_https: None, monkeypatch: pytest.MonkeyPatch, listing: Listing
) -> None:
    def fail(request: HttpRequest) -> None:
        raise ValueError("secret")

    monkeypatch.setattr("marketplace.listings.views.render", fail)
    answer = Client(raise_request_exception=False).get("/", secure=True)
    assert answer.status_code == 500
    assert b"secret" not in answer.content
    expect_headers(answer)


def test_without_tls_the_answer_is_a_redirect_with_them(over_https: None, client: Client) -> None:
    answer = client.get("/conversations/?q=x")
    assert (answer.status_code, answer.headers["Location"]) == (
        301,
        "https://testserver/conversations/?q=x",
    )
    assert "Strict-Transport-Security" not in answer.headers  # Browsers take it over TLS only.
    expect_headers(answer, also={"Strict-Transport-Security": "missing"})


def test_a_foreign_host_is_refused_without_tls_with_those_that_limit(
    over_https: None, client: Client
) -> None:
    """Where it would be led to is asked for first, so SecurityMiddleware adds none of its own."""
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    theirs = ("Cross-Origin-Opener-Policy", "Referrer-Policy", "X-Content-Type-Options")
    missing = dict.fromkeys([*theirs, "Strict-Transport-Security"], "missing")
    expect_headers(answer, also=missing)


def test_a_photo_may_be_shown_in_a_mail(over_https: None, client: Client) -> None:
    photo = Path(django_settings.MEDIA_ROOT) / "photos" / f"{'0' * 32}.jpg"
    photo.parent.mkdir(parents=True, exist_ok=True)
    photo.write_bytes(b"jpeg")
    try:
        answer = client.get(f"/media/photos/{photo.name}", secure=True)
    finally:
        photo.unlink()
    assert answer.status_code == 200
    expect_headers(answer, also={"Cross-Origin-Resource-Policy": "cross-origin"})


def test_over_https_a_page_opens_encrypted_sockets_only(over_https: None, client: Client) -> None:
    policy = client.get("/", secure=True).headers["Content-Security-Policy"]
    assert "wss://testserver;" in policy
    assert "ws://" not in policy.replace("wss://", "")
