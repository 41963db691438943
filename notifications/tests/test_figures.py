"""The figures and findings about deliveries, and what they cost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import AsyncClient
from pytest_django import DjangoAssertNumQueries, Settings

from notifications import doctor
from notifications.figures import HELP, read_figures
from notifications.findings import FINE
from notifications.models import Delivery, LastRun, Notification
from notifications.tasks import create_notifications

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def noon() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def make(recipient: Any, number: int, **fields: Any) -> Delivery:
    about = Notification.objects.create(
        recipient=recipient,
        kind="new_message",
        source="somewhere",
        key="1",
        first_sequence=number,
        last_sequence=number,
    )
    return Delivery.objects.create(notification=about, **{"due_at": NOON, **fields})


@pytest.fixture
def several(noon: Any, buyer: Any) -> None:
    minute = timedelta(minutes=1)
    make(buyer, 1, due_at=NOON - 2 * minute)
    make(buyer, 2, due_at=NOON - minute, state="claimed", claimed_until=NOON + minute)
    make(buyer, 3, due_at=NOON + minute)
    make(buyer, 4, due_at=NOON - 9 * minute, state="failed")
    make(buyer, 5, due_at=NOON - timedelta(days=2), state="failed")
    make(buyer, 6, due_at=NOON - 5 * minute, state="sent", sent_at=NOON - 4 * minute)
    make(buyer, 7, due_at=NOON - 5 * minute, state="sent", sent_at=NOON - 5 * minute)
    make(buyer, 8, due_at=NOON - 60 * minute, state="sent", sent_at=NOON - 30 * minute)
    LastRun.objects.create(name=LastRun.SWEEP, at=NOON - timedelta(seconds=4))


def test_what_is_due_late_and_failed(
    several: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(5):
        figures = read_figures()
    assert figures == {
        "notifications_deliveries_due": 2,
        "notifications_oldest_due_seconds": 120,
        "notifications_deliveries_waiting": 1,
        "notifications_deliveries_failed": 1,
        "notifications_mail_sent": 2,
        "notifications_mail_lateness_seconds": 30,
        "notifications_mail_lateness_max_seconds": 60,
        "notifications_sweep_age_seconds": 4,
    }
    assert figures.keys() == HELP.keys()


def test_nothing_has_happened_yet(db: None) -> None:
    figures = read_figures()
    assert set(figures.values()) == {0}
    assert "notifications_sweep_age_seconds" not in figures


@pytest.mark.django_db(transaction=True)
async def test_they_are_on_the_page_for_prometheus(several: None, settings: Settings) -> None:
    settings.MESSAGING_METRICS_TOKEN = "t" * 20
    headers = {"authorization": f"Bearer {'t' * 20}"}
    page = (await AsyncClient().get("/metrics/", headers=headers)).content.decode()
    assert "# TYPE notifications_deliveries_due gauge\nnotifications_deliveries_due 2\n" in page
    assert "notifications_mail_lateness_max_seconds 60\n" in page


def test_each_sweep_leaves_its_time(
    noon: Any, db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    create_notifications()
    noon.shift(timedelta(seconds=5))
    create_notifications()
    assert LastRun.objects.get().at == NOON + timedelta(seconds=5)


def test_the_doctor_knows_a_beat_that_is_alive(noon: Any, db: None) -> None:
    create_notifications()
    noon.shift(timedelta(seconds=10))
    assert [finding.level for finding in doctor.ask_beat()] == [FINE]
    noon.shift(timedelta(seconds=30))
    (finding,) = doctor.ask_beat()
    assert "has last run 40 seconds ago" in finding.msg


def test_the_doctor_knows_a_beat_that_never_was(db: None) -> None:
    (finding,) = doctor.ask_beat()
    assert "has never run" in finding.msg
