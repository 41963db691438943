"""What a host's settings must have for mails to be right, said at start."""

from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from notifications import conf, failpoints

LONGEST_EMAIL_TIMEOUT_SECONDS = 20


def check_settings(**_options: Any) -> list[CheckMessage]:
    return [*_check_site_url(), *_check_sender(), *_check_timeout(), *_check_failpoint()]


def _check_site_url() -> list[CheckMessage]:
    parts = urlsplit(conf.site_url())
    if parts.scheme in ("http", "https") and parts.hostname:
        return []
    return [
        Error(
            "NOTIFICATIONS_SITE_URL must be the address people type, like https://market.example.",
            hint="Links in mails need it.",
            id="notifications.E001",
        )
    ]


def _check_sender() -> list[CheckMessage]:
    if "@" in parseaddr(settings.DEFAULT_FROM_EMAIL)[1]:
        return []
    return [Error("DEFAULT_FROM_EMAIL must be an e-mail address.", id="notifications.E002")]


def _check_timeout() -> list[CheckMessage]:
    timeout: float | None = settings.EMAIL_TIMEOUT
    if timeout is not None and timeout <= LONGEST_EMAIL_TIMEOUT_SECONDS:
        return []
    return [
        Warning(
            "EMAIL_TIMEOUT should be 20 seconds or less.",
            hint="Without it a mail server that hangs holds a worker for ever.",
            id="notifications.W001",
        )
    ]


def _check_failpoint() -> list[CheckMessage]:
    if not failpoints.ARMED:
        return []
    return [
        Warning(
            f"FAILPOINT is set: this process ends itself at “{failpoints.ARMED}”.",
            hint="It is for tests of what survives that. Take it out of the environment.",
            id="notifications.W002",
        )
    ]
