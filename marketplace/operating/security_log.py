"""Who signed in, who could not, and what changed about an account: one record each.

Django and allauth tell of these by signals, and there is no other place that all ways in pass.
"""

import logging
from typing import Any

from allauth.account import signals as account_signals
from django.contrib.auth import signals as auth_signals

logger = logging.getLogger("marketplace.security")

SENTENCES = {
    auth_signals.user_logged_in: "signed in",
    auth_signals.user_logged_out: "signed out",
    account_signals.password_changed: "password changed",
    account_signals.password_reset: "password reset",
    account_signals.password_set: "password set",
    account_signals.email_changed: "e-mail address changed",
}


def connect() -> None:
    for signal in SENTENCES:
        signal.connect(log_event, dispatch_uid="marketplace.security_log")
    auth_signals.user_login_failed.connect(log_failure, dispatch_uid="marketplace.security_log")


def log_event(signal: Any, user: Any = None, **_: Any) -> None:
    details = {"user": user.pk if user is not None else None}
    logger.info(SENTENCES[signal], extra={"details": details})


def log_failure(credentials: dict[str, Any], **_: Any) -> None:
    """The address goes through the redaction, which leaves its first letter and its domain."""
    given = credentials.get("email") or credentials.get("username") or credentials.get("login")
    logger.warning("sign-in failed", extra={"details": {"address": str(given or "")}})
