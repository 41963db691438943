"""What this app asks of a person: where a mail may go, in which language and time zone.

The user model is the host's. Its optional attributes are `locale` (a language code of
`LANGUAGES`, like "es") and `time_zone` (an IANA name, like "Europe/Madrid"); missing, empty or
unknown ones mean the site's own. With django-allauth a mail goes to a verified address only,
the primary one first; without it to the model's e-mail field.
"""

from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils import timezone, translation


def verified_address(user: AbstractBaseUser) -> str:
    """Where mails for this person go; empty if there is no such address."""
    if not apps.is_installed("allauth.account"):
        return str(getattr(user, get_user_model().get_email_field_name(), "") or "")
    addresses = apps.get_model("account", "EmailAddress").objects
    verified = addresses.filter(user_id=user.pk, verified=True).order_by("-primary", "pk")
    return str(verified.values_list("email", flat=True).first() or "")


def language_of(user: Any) -> str:
    try:
        return translation.get_supported_language_variant(getattr(user, "locale", "") or "")
    except LookupError:
        return str(settings.LANGUAGE_CODE)


def time_zone_of(user: Any) -> tzinfo:
    name = getattr(user, "time_zone", "") or ""
    try:
        return ZoneInfo(name) if name else timezone.get_default_timezone()
    except (LookupError, ValueError, OSError):  # OSError: a folder of the zone database.
        return timezone.get_default_timezone()
