"""Who signed in, who could not, and what changed about an account: one record each.

Django and allauth tell of these by signals, and there is no other place that all ways in pass.
"""

import logging
from typing import Any

from allauth.account import signals as account_signals
from allauth.mfa import signals as factor_signals
from allauth.socialaccount import signals as social_signals
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
# With `kind`: an authenticator app, recovery codes or a passkey.
FACTOR_SENTENCES = {
    factor_signals.authenticator_added: "second factor added",
    factor_signals.authenticator_removed: "second factor removed",
    factor_signals.authenticator_reset: "second factor made anew",
    factor_signals.authenticator_used: "second factor used",
}


def connect() -> None:
    for signal in SENTENCES:
        signal.connect(log_event, dispatch_uid="marketplace.security_log")
    for signal in FACTOR_SENTENCES:
        signal.connect(log_factor, dispatch_uid="marketplace.security_log")
    for signal, receive in {
        auth_signals.user_login_failed: log_failure,
        factor_signals.authentication_failed: log_factor_failure,
        social_signals.social_account_added: log_connected,
        social_signals.social_account_removed: log_disconnected,
    }.items():
        signal.connect(receive, dispatch_uid="marketplace.security_log")


def log_event(signal: Any, user: Any = None, **_: Any) -> None:
    details = {"user": user.pk if user is not None else None}
    logger.info(SENTENCES[signal], extra={"details": details})


def log_failure(credentials: dict[str, Any], **_: Any) -> None:
    """The address goes through the redaction, which leaves its first letter and its domain."""
    given = credentials.get("email") or credentials.get("username") or credentials.get("login")
    logger.warning("sign-in failed", extra={"details": {"address": str(given or "")}})


def log_factor(signal: Any, user: Any, authenticator: Any, **_: Any) -> None:
    details = {"user": user.pk, "kind": str(authenticator.type)}
    logger.info(FACTOR_SENTENCES[signal], extra={"details": details})


def log_factor_failure(user: Any, authenticator: Any = None, **_: Any) -> None:
    kind = str(authenticator.type) if authenticator else ""
    logger.warning("second factor failed", extra={"details": {"user": user.pk, "kind": kind}})


def log_connected(sociallogin: Any, **_: Any) -> None:
    _log_account_elsewhere("account elsewhere connected", sociallogin.account)


def log_disconnected(socialaccount: Any, **_: Any) -> None:
    _log_account_elsewhere("account elsewhere removed", socialaccount)


def _log_account_elsewhere(sentence: str, account: Any) -> None:
    """Which provider, and not who somebody is there."""
    details = {"user": account.user_id, "provider": account.provider}
    logger.info(sentence, extra={"details": details})
