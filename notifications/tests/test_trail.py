"""The trail in words."""

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone, translation

from notifications import trail

MOMENT = datetime(2026, 3, 2, 14, 2, tzinfo=UTC)


def test_the_same_decision_again_is_counted() -> None:
    entries: list[dict[str, Any]] = []
    for minute in range(3):
        at = MOMENT.replace(minute=minute)
        trail.add(entries, "deferred", at=at, why="connected", until=f"u{minute}")
    trail.add(entries, "cancelled", at=MOMENT, why="read", detail="")

    assert entries == [
        {
            "at": "2026-03-02T14:00:00+00:00",
            "what": "deferred",
            "why": "connected",
            "until": "u2",
            "times": 3,
            "last_at": "2026-03-02T14:02:00+00:00",
        },
        {"at": "2026-03-02T14:02:00+00:00", "what": "cancelled", "why": "read"},
    ]


def test_it_says_when_something_was_read_in_the_readers_time() -> None:
    entries: list[dict[str, Any]] = []
    trail.add(entries, "cancelled", at=MOMENT, why="read", detail="2026-03-02T14:01:00+00:00")

    with timezone.override("Europe/Madrid"), translation.override("en"):
        words = trail.describe(entries[0])

    assert words == "03/02/2026 3:02 p.m. – Not mailed: they had read it (03/02/2026 3:01 p.m.)"


def test_a_code_without_words_is_shown_as_it_is() -> None:
    entry = {"at": trail.write(MOMENT), "what": "odd", "why": "queer", "times": 2, "detail": "x"}

    assert trail.describe(entry).endswith("– odd: queer (x), 2 times")
