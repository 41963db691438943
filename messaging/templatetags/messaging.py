"""What the pages of conversations say about times, names and states."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, pgettext

from messaging.models import Role
from messaging.selectors.conversations import MOST_COUNTED

register = template.Library()

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK_DAYS = 7
LARGEST_COUNT = 99
# How a listing's state looks. What a host adds of its own looks plain.
STATE_TONES = {"available": "good", "reserved": "wait"}


@register.filter
def relative_time(moment: datetime | None) -> str:
    """How long ago, in the room a row has: “now”, “12 min”, “5 h”, “Tue”, “3 Mar”, “3 Mar 2024”."""
    if not moment:
        return ""
    seconds = int((timezone.now() - moment).total_seconds())
    if seconds < DAY:
        return _short_span(seconds) if seconds >= MINUTE else pgettext("a moment ago", "now")
    return _short_date(moment)


@register.filter
def waiting_time(since: datetime | None) -> str:
    """How long somebody has waited: “12 min”, “26 h”, “3 days”."""
    if not since:
        return ""
    return _short_span(max(MINUTE, int((timezone.now() - since).total_seconds())))


@register.filter
def day_label(moment: datetime | None) -> str:
    """The day as a separator in a thread says it: “Today”, “Yesterday”, “Friday 20 November”."""
    if not moment:
        return ""
    day, today = timezone.localtime(moment), timezone.localtime()
    if day.date() == today.date():
        return gettext("Today")
    if day.date() == today.date() - timedelta(days=1):
        return gettext("Yesterday")
    if day.year == today.year:
        return date_format(day, pgettext("date format", "l j F"))
    return date_format(day, pgettext("date format", "j F Y"))


@register.filter
def last_here(day: str) -> str:
    """When somebody was last here, from the day that presence keeps (YYYY-MM-DD)."""
    seen = parse_date(day) if day else None
    if seen is None:
        return ""
    age = (timezone.localdate() - seen).days
    if age <= 1:
        return gettext("here today") if age <= 0 else gettext("here yesterday")
    return gettext("last here %s") % date_format(seen, pgettext("date format", "j F Y"))


@register.filter
def initial(name: str) -> str:
    """The letter that stands for somebody without a picture."""
    return name.strip()[:1].upper()


@register.filter
def standing_for(name: str, side: str) -> str:
    """A name, with the side of whoever takes part for somebody else: a colleague, an agent."""
    if side == Role.SELLER:
        return gettext("%(name)s (for the seller)") % {"name": name}
    if side == Role.BUYER:
        return gettext("%(name)s (for the buyer)") % {"name": name}
    return name


@register.filter
def short_count(number: int | None) -> str:
    """A count for a small badge: empty for nothing, “99+” for a lot."""
    if not number:
        return ""
    return str(number) if number <= LARGEST_COUNT else f"{LARGEST_COUNT}+"


@register.filter
def bounded_count(number: int) -> str:
    """What was counted up to a limit: “1000+”."""
    return str(number) if number <= MOST_COUNTED else f"{MOST_COUNTED}+"


@register.filter
def state_tone(state: str) -> str:
    """The class of a listing's state tag: good, wait, or none."""
    return STATE_TONES.get(state, "")


def _short_span(seconds: int) -> str:
    if seconds < HOUR:
        return gettext("%(count)d min") % {"count": seconds // MINUTE}
    if seconds < 2 * DAY:
        return gettext("%(count)d h") % {"count": seconds // HOUR}
    days = seconds // DAY
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def _short_date(moment: datetime) -> str:
    day, today = timezone.localtime(moment), timezone.localtime()
    if today.date() - day.date() < timedelta(days=WEEK_DAYS):
        return date_format(day, "D")
    if day.year == today.year:
        return date_format(day, pgettext("date format", "j M"))
    return date_format(day, pgettext("date format", "j M Y"))
