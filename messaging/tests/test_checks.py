"""What a site lacks is said in a sentence when it starts."""

from typing import Any, ClassVar

import pytest
from channels.layers import channel_layers
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from messaging import conf
from messaging.checks import check_installation
from notifications.schedule import SWEEP


class PagesOnly:
    application_mapping: ClassVar[dict[str, Any]] = {"http": None}


class OwnSessions(SessionMiddleware):
    pass


pages_only = PagesOnly()


def ids(messages: list[CheckMessage]) -> list[str]:
    return [str(message.id) for message in messages]


def test_nothing_is_missing_here() -> None:
    assert check_installation() == []


@pytest.mark.parametrize("value", ["", "Product", "shop.models.Product"])
def test_a_listing_model_is_needed_before_anything_else(settings: Settings, value: str) -> None:
    settings.MESSAGING_LISTING_MODEL = value
    with pytest.raises(ImproperlyConfigured, match="MESSAGING_LISTING_MODEL must name the model"):
        conf.listing_model()


@pytest.mark.parametrize(
    ("setting", "value", "id", "words"),
    [
        ("MESSAGING_LISTING_MODEL", "shop.Product", "messaging.E001", "names shop.Product"),
        ("MESSAGING_LISTING_MODEL", "messaging.Block", "messaging.E002", "has no `title`"),
        ("MESSAGING_LISTING_SLUG_FIELD", "code", "messaging.E003", "has no such field"),
        ("INSTALLED_APPS", None, "messaging.E004", "lucide is not in INSTALLED_APPS"),
        ("MIDDLEWARE", [], "messaging.E005", "SessionMiddleware is not in MIDDLEWARE"),
        ("ROOT_URLCONF", "notifications.urls", "messaging.E006", "have no address"),
        ("LOGIN_URL", "no:where", "messaging.E007", "LOGIN_URL is neither"),
        ("MESSAGING_BROWSE_URL", "no:where", "messaging.E007", "MESSAGING_BROWSE_URL is neither"),
        ("MESSAGING_SELLING_URL", "no:where", "messaging.E007", "MESSAGING_SELLING_URL is"),
        ("MESSAGING_ALLOWED_ORIGINS", [], "messaging.E008", "must list from where"),
        ("MESSAGING_ALLOWED_ORIGINS", ["market.example"], "messaging.E008", "must list"),
        ("MESSAGING_ALLOWED_ORIGINS", ["https://a.example/"], "messaging.E008", "must list"),
        ("CHANNEL_LAYERS", {}, "messaging.E009", "CHANNEL_LAYERS has no default"),
        (
            "CHANNEL_LAYERS",
            {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
            "messaging.W001",
            "in memory",
        ),
        ("ASGI_APPLICATION", None, "messaging.W002", "ASGI_APPLICATION is not set"),
        (
            "ASGI_APPLICATION",
            "messaging.tests.test_checks.pages_only",
            "messaging.E010",
            "has no way for sockets",
        ),
        (
            "CELERY_BEAT_SCHEDULE",
            {"tidy": {"task": "shop.tidy", "schedule": 60}},
            "messaging.W003",
            "nobody would be mailed",
        ),
        ("TEMPLATES", [], "messaging.E011", "context processor"),
    ],
)
def test_what_is_missing_is_said(
    settings: Settings, setting: str, value: Any, id: str, words: str
) -> None:
    if setting == "INSTALLED_APPS":
        value = [name for name in settings.INSTALLED_APPS if name != "lucide"]
    setattr(settings, setting, value)
    channel_layers.backends.clear()
    try:
        found = check_installation()
    finally:
        channel_layers.backends.clear()
    assert id in ids(found)
    said = " ".join(message.msg for message in found if message.id == id)
    assert words in said


def test_a_subclass_of_a_middleware_counts(settings: Settings) -> None:
    name = "django.contrib.sessions.middleware.SessionMiddleware"
    own = f"{__name__}.OwnSessions"
    settings.MIDDLEWARE = [own if one == name else one for one in settings.MIDDLEWARE]
    assert check_installation() == []


@pytest.mark.parametrize("schedule", [{}, {"sweep": {"task": SWEEP, "schedule": 5}}])
def test_a_schedule_that_is_right_or_elsewhere_is_silent(
    settings: Settings, schedule: dict[str, Any]
) -> None:
    settings.CELERY_BEAT_SCHEDULE = schedule
    assert check_installation() == []


@pytest.mark.parametrize(
    ("template", "id", "words"),
    [
        ("{% block title %}{% endblock %}{% block head %}{% endblock %}", "messaging.E013", "main"),
        ('{% extends "away.html" %}', "messaging.E012", "There is no template away.html"),
    ],
)
def test_a_base_without_a_place_for_pages_is_named(
    settings: Settings, template: str, id: str, words: str
) -> None:
    loaders = [("django.template.loaders.locmem.Loader", {"messaging/base.html": template})]
    [engine] = settings.TEMPLATES
    options = {**engine["OPTIONS"], "loaders": loaders}
    settings.TEMPLATES = [{**engine, "APP_DIRS": False, "OPTIONS": options}]
    found = check_installation()
    assert ids(found) == [id]
    assert words in found[0].msg
