"""What a person may set about themselves, and what it does to the pages."""

from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.middleware import PreferencesMiddleware
from accounts.models import User
from accounts.time_zones import find_time_zone, list_time_zones

PROFILE = "/accounts/profile/"
pytestmark = pytest.mark.django_db


def save(client: Client, **changes: str) -> int:
    fields = {"display_name": "Ana Ríos", "locale": "es", "time_zone": "America/Lima"}
    return client.post(PROFILE, fields | changes).status_code


def test_a_signed_out_person_is_asked_to_log_in(client: Client) -> None:
    response = client.get(PROFILE)
    assert response.status_code == 302
    assert response.headers["Location"] == f"/accounts/login/?next={PROFILE}"


def test_a_person_saves_name_language_and_time_zone(client: Client, buyer: User) -> None:
    client.force_login(buyer)
    assert client.get(PROFILE).status_code == 200
    assert save(client) == 302
    buyer.refresh_from_db()
    assert (buyer.display_name, buyer.locale) == ("Ana Ríos", "es")
    assert buyer.time_zone == "America/Lima"


@pytest.mark.parametrize(
    "changes",
    [{"display_name": "a@b.example"}, {"locale": "xx"}, {"time_zone": "Mars/Olympus"}],
)
def test_what_does_not_exist_is_refused(
    client: Client, buyer: User, changes: dict[str, str]
) -> None:
    client.force_login(buyer)
    assert save(client, **changes) == 400
    buyer.refresh_from_db()
    assert buyer.display_name == "Ana"


def test_a_refused_name_is_not_shown_as_theirs(client: Client, buyer: User) -> None:
    client.force_login(buyer)
    response = client.post(PROFILE, {"display_name": "x@y.example", "locale": "", "time_zone": ""})
    assert response.context["user"].display_name == "Ana"


def test_the_language_of_the_account_comes_before_that_of_the_browser(
    client: Client, buyer: User
) -> None:
    english = {"Accept-Language": "en"}
    client.force_login(buyer)
    assert client.get("/", headers=english).headers["Content-Language"] == "en"
    User.objects.filter(pk=buyer.pk).update(locale="es")
    assert client.get("/", headers=english).headers["Content-Language"] == "es"
    assert Client().get("/", headers=english).headers["Content-Language"] == "en"


def test_times_are_those_of_the_person(buyer: User, rf: RequestFactory) -> None:
    buyer.time_zone = "America/Lima"
    request = rf.get("/")
    request.user = buyer
    noon = Context({"moment": datetime(2026, 6, 1, 12, tzinfo=UTC)})

    def show(asked: object) -> object:
        return Template("{{ moment|date:'H:i' }}").render(noon)

    middleware = PreferencesMiddleware(show)  # type: ignore[arg-type]
    middleware.process_request(request)
    assert show(request) == "07:00"
    timezone.deactivate()
    assert show(request) == "12:00"


def test_the_list_of_time_zones_has_places_and_no_files() -> None:
    assert {"Europe/Madrid", "America/Lima"} <= set(list_time_zones())
    assert find_time_zone("../../etc/passwd") is None


def test_the_language_switch_is_kept_in_the_account(client: Client, buyer: User) -> None:
    client.force_login(buyer)
    client.post(PROFILE, {"display_name": "Ana", "locale": "en", "time_zone": ""})
    assert 'lang="en"' in client.get(PROFILE).content.decode()
    client.post("/i18n/setlang/", {"language": "es", "next": PROFILE})
    assert '<html lang="es"' in client.get(PROFILE).content.decode()
    buyer.refresh_from_db()
    assert buyer.locale == "es"


@pytest.mark.parametrize("language", ["xx", "de", "zh-hans", ""])
def test_a_language_that_there_is_not_changes_nothing(
    client: Client, buyer: User, language: str
) -> None:
    client.force_login(buyer)
    client.post("/i18n/setlang/", {"language": language, "next": PROFILE})
    buyer.refresh_from_db()
    assert buyer.locale == ""
