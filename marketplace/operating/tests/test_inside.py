"""Health and figures are told by whatever name a process has inside; nothing else is."""

import pytest
from django.conf import LazySettings
from django.test import AsyncClient, Client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("as_served")]

INSIDE = {"Host": "web-1:8000"}
TOKEN = "a-token-of-prometheus"


@pytest.fixture(autouse=True)
def surroundings(settings: LazySettings) -> None:
    settings.SITE_URL = "https://market.example"
    settings.ALLOWED_HOSTS = ["market.example"]
    settings.MESSAGING_METRICS_TOKEN = TOKEN


@pytest.mark.parametrize("path", ["/health/live/", "/health/ready/"])
async def test_health_is_told_by_any_name(path: str) -> None:
    assert (await AsyncClient().get(path, headers=INSIDE)).status_code == 200


def test_health_is_told_without_asynchronous_requests_too() -> None:
    answer = Client().get("/health/live/", headers=INSIDE)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_figures_are_told_by_any_name_to_who_knows_the_token() -> None:
    given = {**INSIDE, "Authorization": f"Bearer {TOKEN}"}
    answer = await AsyncClient().get("/metrics/", headers=given)
    assert answer.status_code == 200
    assert "messaging_connections" in answer.content.decode()


@pytest.mark.parametrize("token", ["", "Bearer wrong"])
def test_without_it_the_page_is_as_missing_as_any(token: str) -> None:
    ours = {"Host": "market.example", "Authorization": token}
    assert Client().get("/metrics/", headers=ours, secure=True).status_code == 404
    answer = Client().get("/metrics/", headers={**INSIDE, "Authorization": token}, secure=True)
    assert answer.status_code == 400
    assert "messaging_" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/healthy/", "/x/health/live/"])
async def test_all_else_asks_for_our_name(path: str) -> None:
    assert (await AsyncClient().get(path, headers=INSIDE)).status_code == 400
