"""The settings of this app, with their defaults. Each is a `NOTIFICATIONS_…` name in the host's."""

import re
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import urljoin, urlsplit

from django.conf import settings


def site_url() -> str:
    """Where people reach the site, like `https://market.example`, without a slash at the end."""
    return str(getattr(settings, "NOTIFICATIONS_SITE_URL", "")).rstrip("/")


def site_host() -> str:
    """The host of `site_url` in a form that fits into a `Message-ID`."""
    host = (urlsplit(site_url()).hostname or "localhost").encode("idna").decode()
    return re.sub(r"[^a-z0-9.-]", "-", host)


def site_name() -> str:
    """What mails call the site: by default the name in `DEFAULT_FROM_EMAIL`, or else the host."""
    sender_name = parseaddr(settings.DEFAULT_FROM_EMAIL)[0]
    return str(getattr(settings, "NOTIFICATIONS_SITE_NAME", "")) or sender_name or site_host()


def absolute_url(path: str) -> str:
    """An address for a mail; an empty path stays empty."""
    return urljoin(f"{site_url()}/", path) if path else ""


def connected_look_again() -> timedelta:
    """How soon to look again at somebody who is connected right now."""
    return timedelta(seconds=getattr(settings, "NOTIFICATIONS_CONNECTED_LOOK_AGAIN_SECONDS", 8))


def connected_owed_after() -> timedelta:
    """After this long being connected no longer puts a mail off."""
    return timedelta(seconds=getattr(settings, "NOTIFICATIONS_CONNECTED_OWED_AFTER_SECONDS", 3600))


def retry_first() -> timedelta:
    return timedelta(seconds=getattr(settings, "NOTIFICATIONS_RETRY_FIRST_SECONDS", 10))


def retry_longest() -> timedelta:
    return timedelta(seconds=getattr(settings, "NOTIFICATIONS_RETRY_LONGEST_SECONDS", 3600))


def give_up_after() -> timedelta:
    """How long after its first attempt a delivery is tried before it counts as failed."""
    return timedelta(seconds=getattr(settings, "NOTIFICATIONS_GIVE_UP_AFTER_SECONDS", 24 * 3600))


def dkim_selector() -> str:
    """Under which name the mail server's public key is published; only the doctor asks."""
    return str(getattr(settings, "NOTIFICATIONS_DKIM_SELECTOR", ""))
