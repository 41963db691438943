"""How this app calls people: never by an e-mail address."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from messaging.models import Participant

NEW_ACCOUNT = timedelta(hours=24)
# In the reader's language: what stands for the name of somebody whose account was erased.
FORMER_MEMBER = gettext_lazy("Former member")


def display_name(user: Any) -> str:
    """What the other side sees. Hosts give it with `get_full_name()`."""
    name = str(user.get_full_name()).strip()
    if not name and user.get_email_field_name() != user.USERNAME_FIELD:
        name = str(user.get_username())
    return (name or _("Member %(number)s") % {"number": user.pk})[:100]


def shown_name(member: "Participant") -> str:
    """A participant's name; whoever was erased has none left, only a place."""
    return member.name or str(FORMER_MEMBER)


def lazy_name(member: "Participant") -> Any:
    """The same for a mail, whose language is known only when it is composed."""
    return member.name or FORMER_MEMBER


def is_new_account(user: Any) -> bool:
    joined = getattr(user, "date_joined", None)
    return joined is not None and timezone.now() - joined < NEW_ACCOUNT
