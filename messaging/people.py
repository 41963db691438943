"""How this app calls people: never by an e-mail address."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

NEW_ACCOUNT = timedelta(hours=24)


def display_name(user: Any) -> str:
    """What the other side sees. Hosts give it with `get_full_name()`."""
    name = str(user.get_full_name()).strip()
    if not name and user.get_email_field_name() != user.USERNAME_FIELD:
        name = str(user.get_username())
    return (name or _("Member %(number)s") % {"number": user.pk})[:100]


def is_new_account(user: Any) -> bool:
    joined = getattr(user, "date_joined", None)
    return joined is not None and timezone.now() - joined < NEW_ACCOUNT
