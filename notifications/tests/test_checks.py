"""What is missing in the settings is said at start."""

from typing import Any

import pytest

from notifications import failpoints
from notifications.checks import check_settings


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("NOTIFICATIONS_SITE_URL", "https://market.example", []),
        ("NOTIFICATIONS_SITE_URL", "market.example", ["notifications.E001"]),
        ("DEFAULT_FROM_EMAIL", "Trato", ["notifications.E002"]),
        ("EMAIL_TIMEOUT", None, ["notifications.W001"]),
        ("EMAIL_TIMEOUT", 60, ["notifications.W001"]),
    ],
)
def test_each_setting_is_checked(settings: Any, name: str, value: Any, expected: list[str]) -> None:
    setattr(settings, name, value)

    assert [message.id for message in check_settings()] == expected


def test_a_failpoint_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "ARMED", "email.sent")

    (warning,) = check_settings()
    assert (warning.id, "email.sent" in warning.msg) == ("notifications.W002", True)
