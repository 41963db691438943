"""The settings of this app, with their defaults. Each is a `MESSAGING_…` name in the host's."""

from datetime import timedelta

from django.conf import settings


def listing_model() -> str:
    """The host's listing model as `app.Model`, swappable as Django's user model is."""
    return str(settings.MESSAGING_LISTING_MODEL)


def listing_slug_field() -> str:
    """The field of the listing that the URLs carry."""
    return str(getattr(settings, "MESSAGING_LISTING_SLUG_FIELD", "slug"))


def send_limits() -> list[tuple[int, float]]:
    """Messages per seconds and person, all of which hold. Empty lifts every limit on sending."""
    return list(getattr(settings, "MESSAGING_SEND_LIMITS", [(10, 5.0), (60, 60.0)]))


def heartbeat_seconds() -> float:
    return float(getattr(settings, "MESSAGING_HEARTBEAT_SECONDS", 25))


def drain_seconds() -> float:
    return float(getattr(settings, "MESSAGING_DRAIN_SECONDS", 10))


def notify_delay() -> timedelta:
    return timedelta(seconds=getattr(settings, "MESSAGING_NOTIFY_DELAY_SECONDS", 180))


def notify_cap() -> timedelta:
    return timedelta(seconds=getattr(settings, "MESSAGING_NOTIFY_CAP_SECONDS", 600))


def allowed_origins() -> list[str]:
    """Exact origins, scheme and port included, from which sockets are accepted."""
    return list(settings.MESSAGING_ALLOWED_ORIGINS)


def database_threads() -> int:
    return int(getattr(settings, "MESSAGING_DATABASE_THREADS", 8))
