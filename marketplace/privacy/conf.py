"""The settings of this app. The environment's names are in docs/operations.md."""

from datetime import timedelta
from pathlib import Path

from django.conf import settings

EXPORTS_PER_DAY = 3


def exports_root() -> Path:
    return Path(settings.PRIVACY_EXPORTS_ROOT)


def retain_exports() -> timedelta:
    return timedelta(days=settings.PRIVACY_RETAIN_EXPORTS_DAYS)


def retain_notifications() -> timedelta | None:
    """None: for ever."""
    return _days(settings.PRIVACY_RETAIN_NOTIFICATIONS_DAYS)


def retain_closed_conversations() -> timedelta | None:
    """None: for ever."""
    return _days(settings.PRIVACY_RETAIN_CLOSED_CONVERSATIONS_DAYS)


def blanks_texts() -> bool:
    """Whether an erasure takes with it what the person wrote to others."""
    return bool(settings.PRIVACY_ERASE_TEXTS)


def _days(days: float) -> timedelta | None:
    return timedelta(days=days) if days else None
