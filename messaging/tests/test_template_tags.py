"""What pages say about times, names and states."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone, translation

from messaging.templatetags.messaging import (
    day_label,
    initial,
    last_here,
    relative_time,
    short_count,
    state_tone,
    waiting_time,
)

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday

pytestmark = pytest.mark.usefixtures("friday")


@pytest.fixture
def friday() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False), translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("ago", "label"),
    [
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(hours=23, minutes=59), "23 h"),
        (timedelta(days=3), "Tue"),
        (timedelta(days=30), "21 Oct"),
        (timedelta(days=400), "16 Oct 2025"),
        (timedelta(minutes=-5), "now"),
    ],
)
def test_a_row_says_how_long_ago(ago: timedelta, label: str) -> None:
    assert relative_time(NOW - ago) == label


@pytest.mark.parametrize(
    ("ago", "label"),
    [
        (timedelta(seconds=5), "1 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=26), "26 h"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_a_row_says_how_long_somebody_waits(ago: timedelta, label: str) -> None:
    assert waiting_time(NOW - ago) == label


@pytest.mark.parametrize(
    ("moment", "label"),
    [
        (NOW, "Today"),
        (NOW - timedelta(hours=16), "Yesterday"),
        (NOW - timedelta(days=3), "Tuesday 17 November"),
        (NOW - timedelta(days=400), "16 October 2025"),
    ],
)
def test_a_thread_says_which_day(moment: datetime, label: str) -> None:
    assert day_label(moment) == label


def test_days_are_those_of_the_readers_time_zone() -> None:
    late = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)
    assert day_label(late) == "Yesterday"
    with timezone.override("Europe/Madrid"):
        assert day_label(late) == "Today"


@pytest.mark.parametrize(
    ("day", "label"),
    [
        ("2026-11-20", "here today"),
        ("2026-11-19", "here yesterday"),
        ("2026-11-01", "last here 1 November 2026"),
        ("", ""),
        ("not a day", ""),
    ],
)
def test_a_thread_says_when_the_other_was_last_here(day: str, label: str) -> None:
    assert last_here(day) == label


def test_nothing_is_said_about_no_time() -> None:
    assert [relative_time(None), waiting_time(None), day_label(None)] == ["", "", ""]


def test_small_things() -> None:
    assert [initial(" ñandú"), initial("")] == ["Ñ", ""]
    assert [short_count(0), short_count(99), short_count(100)] == ["", "99", "99+"]
    assert [state_tone("available"), state_tone("reserved"), state_tone("sold")] == [
        "good",
        "wait",
        "",
    ]
