from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from celery_app import app
from notifications import sources
from notifications.models import Delivery, Notification
from notifications.services.notify import notify_due
from notifications.tests.fake_source import FakeSource

NOON = "2026-03-02T12:00:00+00:00"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still at noon until the test moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def source() -> Iterator[FakeSource]:
    """The only registered source, whatever other apps have registered."""
    registered = {known.name: known for known in sources.registered_sources()}
    for name in registered:
        sources.unregister(name)
    fake = FakeSource()
    sources.register(fake)
    yield fake
    sources.unregister(fake.name)
    for known in registered.values():
        sources.register(known)


@pytest.fixture
def eager() -> Iterator[None]:
    """Tasks run where they are asked for."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def mail_settings(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Trato <post@market.example>"
    settings.NOTIFICATIONS_SITE_URL = "https://market.example"


def owed_delivery(source: FakeSource, recipient_id: Any, body: str = "Still there?") -> Delivery:
    """A message that has been noticed: its delivery is due."""
    source.say(recipient_id, body)
    notify_due(source=source, limit=10)
    return Delivery.objects.select_related("notification").get(
        notification=Notification.objects.latest("pk")
    )
