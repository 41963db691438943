"""The settings of this app, with their defaults. Each is a `MESSAGING_…` name in the host's."""

import sys
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.shortcuts import resolve_url
from django.utils.module_loading import import_string

if sys.platform != "win32":  # Nobody runs it there, but some develop there.
    import resource

# Of the files a process may open: for the database, Redis, logs and pages.
FILES_KEPT_FREE = 128
LONGEST_DRAIN_SECONDS = 10.0


def listing_model() -> str:
    """The host's listing model as `app.Model`, swappable as Django's user model is."""
    name = str(getattr(settings, "MESSAGING_LISTING_MODEL", ""))
    if name.count(".") != 1:  # Models are made of it: this is earlier than any check.
        raise ImproperlyConfigured(
            "MESSAGING_LISTING_MODEL must name the model of what is sold, like shop.Product."
        )
    return name


def listing_slug_field() -> str:
    """The field of the listing that the URLs carry."""
    return str(getattr(settings, "MESSAGING_LISTING_SLUG_FIELD", "slug"))


def send_limits() -> list[tuple[int, float]]:
    """Messages per seconds and person, all of which hold. Empty lifts every limit on sending."""
    return list(getattr(settings, "MESSAGING_SEND_LIMITS", [(10, 5.0), (60, 60.0)]))


def edit_window() -> timedelta:
    """For how long people may edit what they have written."""
    return timedelta(seconds=getattr(settings, "MESSAGING_EDIT_SECONDS", 300))


def delete_window() -> timedelta:
    """For how long people may delete what they have written."""
    return timedelta(seconds=getattr(settings, "MESSAGING_DELETE_SECONDS", 900))


def heartbeat_seconds() -> float:
    return float(getattr(settings, "MESSAGING_HEARTBEAT_SECONDS", 25))


def bus_shards() -> int:
    """Over how many channels people are spread; the same in every process."""
    return int(getattr(settings, "MESSAGING_BUS_SHARDS", 1))


def drain_seconds() -> float:
    """Ten at most: so much is promised to who waits for a process to end."""
    return min(float(getattr(settings, "MESSAGING_DRAIN_SECONDS", 10)), LONGEST_DRAIN_SECONDS)


def notify_delay() -> timedelta:
    return timedelta(seconds=getattr(settings, "MESSAGING_NOTIFY_DELAY_SECONDS", 180))


def notify_cap() -> timedelta:
    return timedelta(seconds=getattr(settings, "MESSAGING_NOTIFY_CAP_SECONDS", 600))


def allowed_origins() -> list[str]:
    """Exact origins, scheme and port included, from which sockets are accepted."""
    return list(getattr(settings, "MESSAGING_ALLOWED_ORIGINS", []))


def metrics_token() -> str:
    """Who knows it reads `/metrics/`; nobody does while it is empty."""
    return str(getattr(settings, "MESSAGING_METRICS_TOKEN", ""))


def database_threads() -> int:
    return int(getattr(settings, "MESSAGING_DATABASE_THREADS", 8))


def most_connections() -> int:
    """Sockets at once in one web process, as far as it may open files; the next one is sent
    elsewhere (4413)."""
    wanted = int(getattr(settings, "MESSAGING_CONNECTIONS", 10_000))
    if sys.platform == "win32":
        return wanted
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(files - FILES_KEPT_FREE, 1))


def largest_request() -> int:
    """Bytes of one HTTP request's body; beyond it the server itself answers 413."""
    return int(getattr(settings, "MESSAGING_REQUEST_BYTES", 41 * 1024 * 1024))


def participant_policy() -> Callable[..., bool]:
    """Who may put people into a conversation and take them out: a function of `user` and
    `conversation` that answers yes or no. For example for sellers to bring in their colleagues."""
    name = "messaging.policies.is_staff_for_participants"
    found: Callable[..., bool] = import_string(
        getattr(settings, "MESSAGING_PARTICIPANT_POLICY", name)
    )
    return found


def login_url() -> str:
    """Where people sign in."""
    return resolve_url(settings.LOGIN_URL)


def browse_url() -> str:
    """Where people find listings: a path or the name of a URL."""
    return resolve_url(getattr(settings, "MESSAGING_BROWSE_URL", "/"))


def selling_url() -> str:
    """Where people see what they sell: a path or the name of a URL. Empty shows no link."""
    given = getattr(settings, "MESSAGING_SELLING_URL", "")
    return resolve_url(given) if given else ""
