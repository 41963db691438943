"""What is known of the account itself: profile, addresses, sign-in, sessions, social accounts."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps

from accounts.models import User
from messaging.events import iso

Record = dict[str, Any]
SHOWN_OF_A_KEY = 6


def export_account(*, user: User) -> Record:
    """One record. No password, no secret of an authenticator, no whole key of a session."""
    return {
        "id": user.pk,
        "email": user.email,
        "display_name": user.display_name,
        "joined_at": iso(user.date_joined),
        "last_login_at": iso(user.last_login),
        "active": user.is_active,
        "staff": user.is_staff,
        "has_password": user.has_usable_password(),
        "preferences": {"language": user.locale, "time_zone": user.time_zone},
        "email_addresses": [_address(row) for row in rows_of("account", "EmailAddress", user)],
        "sessions": [_session(row) for row in rows_of("usersessions", "UserSession", user)],
        "authenticators": [_authenticator(row) for row in rows_of("mfa", "Authenticator", user)],
        "social_accounts": [
            _social_account(row) for row in rows_of("socialaccount", "SocialAccount", user)
        ],
    }


def rows_of(app: str, model: str, user: User) -> Iterable[Any]:
    """Rows of an app of allauth's; nothing where the app is not installed."""
    if not apps.is_installed(f"allauth.{app}"):
        return []
    rows: Iterable[Any] = apps.get_model(app, model)._default_manager.filter(user=user)
    return rows


def _address(row: Any) -> Record:
    return {"email": row.email, "verified": row.verified, "primary": row.primary}


def _session(row: Any) -> Record:
    return {
        "session": f"{row.session_key[:SHOWN_OF_A_KEY]}…",
        "created_at": iso(row.created_at),
        "last_seen_at": iso(row.last_seen_at),
        "ip": row.ip,
        "user_agent": row.user_agent,
    }


def _authenticator(row: Any) -> Record:
    """When and of what kind; a passkey also by the name its owner gave it."""
    return {
        "type": row.type,
        "name": str(row.wrap().name) if row.type == "webauthn" else "",
        "created_at": iso(row.created_at),
        "last_used_at": iso(row.last_used_at),
    }


def _social_account(row: Any) -> Record:
    return {
        "provider": row.provider,
        "uid": row.uid,
        "joined_at": iso(row.date_joined),
        "last_login_at": iso(row.last_login),
        "profile": row.extra_data,
    }
