"""Which names and ports the marketplace answers to."""

import pytest
from django.test import Client
from pytest_django import Settings

from marketplace.hosts import known_ports

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_served")]


@pytest.fixture
def market(settings: Settings) -> Settings:
    settings.ALLOWED_HOSTS = ["market.example", "second.example"]
    settings.SITE_URL = "https://market.example"
    settings.MESSAGING_ALLOWED_ORIGINS = ["https://market.example"]
    return settings


def ask(host: str, path: str = "/", *, secure: bool = True) -> int:
    return Client().get(path, headers={"Host": host}, secure=secure).status_code


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("market.example", 200),
        ("MARKET.EXAMPLE", 200),
        ("market.example:443", 200),
        ("second.example", 200),
        ("market.example:1000", 400),
        ("market.example:80", 400),
        ("market.example:8443", 400),
        ("market.example:0443", 400),
        ("evil.example", 400),
        ("market.example:x", 400),
    ],
)
def test_only_known_names_at_known_ports(market: Settings, host: str, status: int) -> None:
    assert ask(host) == status
    assert ask(host, "/accounts/login/") == status


def test_a_port_of_an_allowed_origin_is_known(market: Settings) -> None:
    assert ask("second.example:8443") == 400
    market.MESSAGING_ALLOWED_ORIGINS = ["https://market.example", "https://second.example:8443"]
    assert ask("second.example:8443") == ask("market.example") == 200
    assert ask("second.example:8444") == 400


@pytest.mark.parametrize("host", ["localhost:8017", "127.0.0.1:8017", "[::1]:8017"])
def test_a_marketplace_on_this_machine_answers_to_each_of_its_names(
    settings: Settings, host: str
) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
    settings.SITE_URL = "http://localhost:8017"
    settings.MESSAGING_ALLOWED_ORIGINS = ["http://localhost:8017"]
    assert known_ports() == {"8017"}
    assert ask(host, secure=False) == 200
    assert ask(host.replace("8017", "8018"), secure=False) == 400
    assert ask(host.replace(":8017", ""), secure=False) == 400


def test_health_and_metrics_are_asked_for_from_inside(market: Settings) -> None:
    market.MESSAGING_METRICS_TOKEN = "m" * 40
    headers = {"Host": "market.example:8000", "Authorization": f"Bearer {'m' * 40}"}
    for path in ("/health/live/", "/metrics/"):
        assert Client().get(path, headers=headers).status_code == 200
    assert Client().get("/", headers=headers).status_code == 400


def test_the_refusal_is_a_page_with_all_headers(market: Settings) -> None:
    answer = Client().get("/", headers={"Host": "market.example:1000"}, secure=True)
    assert "This request could not be read" in answer.content.decode()
    assert "market.example:1000" not in answer.content.decode()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" in answer.headers
