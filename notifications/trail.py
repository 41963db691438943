"""The trail of a delivery: what was decided about it, when and why, in codes.

An entry is `{"at": …, "what": …, "why"?: …, …}` with moments in ISO 8601 (UTC). It holds no text
of a message and no address. The same decision for the same reason is one entry with `times` and
`last_at`, so that a trail stays short however often it was looked at.
"""

from datetime import UTC, datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

Entry = dict[str, Any]

WHAT = {
    "created": _("Created"),
    "merged": _("Newer messages joined it"),
    "deferred": _("Put off"),
    "cancelled": _("Not mailed"),
    "retrying": _("Could not be sent, tried again later"),
    "sent": _("Mailed"),
    "failed": _("Given up"),
}
WHY = {
    "connected": _("they were here at that moment"),
    "read": _("they had read it"),
    "muted": _("they muted it"),
    "blocked": _("one of them blocked the other"),
    "left": _("they no longer take part"),
    "gone": _("it no longer exists"),
    "nothing_new": _("nothing new was left in it"),
    "no_address": _("they have no confirmed e-mail address"),
    "no_account": _("their account is closed"),
    "refused": _("the mail server knows no such address"),
    "too_long": _("it could not be sent for too long"),
}


def write(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def add(trail: list[Entry], what: str, *, at: datetime, why: str = "", **details: Any) -> None:
    """Record a decision. Details that are empty are left out."""
    kept = {name: value for name, value in details.items() if value not in ("", None)}
    for entry in trail:
        if entry["what"] == what and entry.get("why", "") == why:
            entry.update(kept, times=entry.get("times", 1) + 1, last_at=write(at))
            return
    trail.append({"at": write(at), "what": what, **({"why": why} if why else {}), **kept})


def describe(entry: Entry) -> str:
    """An entry in words, in the current language and time zone."""
    words = str(WHAT.get(entry["what"], entry["what"]))
    why = entry.get("why", "")
    if why:
        words = f"{words}: {WHY.get(why, why)}"
    if moment := _local(entry.get("detail", "")):
        words = f"{words} ({moment})"
    times = entry.get("times", 1)
    if times > 1:
        words += ", " + ngettext("%(times)d time", "%(times)d times", times) % {"times": times}
    return f"{_local(entry['at'])} – {words}"


def _local(text: str) -> str:
    """A moment of the trail as a person reads it; anything else as it is."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or timezone.is_naive(moment):
        return text
    return formats.date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
