"""The rules of when somebody is told. Functions of what is known; they read no database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from notifications import conf
from notifications.sources import Owed


@dataclass(frozen=True, slots=True)
class Decision:
    """Send now, wait until a moment, or never; `why` is a code of the trail."""

    what: Literal["send", "defer", "cancel"]
    why: str = ""
    until: datetime | None = None


SEND = Decision("send")


def decide(owed: Owed, *, now: datetime, first_due_at: datetime) -> Decision:
    """What to do about a burst that is due, from its source's answer.

    Being connected puts a mail off and never drops it: it is owed when the connection ends, and
    after `connected_owed_after` in any case.
    """
    if owed.state != "owed":
        return Decision("cancel", owed.state)
    owed_anyway_at = first_due_at + conf.connected_owed_after()
    if owed.connected and now < owed_anyway_at:
        return Decision(
            "defer", "connected", min(now + conf.connected_look_again(), owed_anyway_at)
        )
    return SEND


def back_off(attempts: int) -> timedelta:
    """How long to wait after this many attempts in a row that failed."""
    doublings = min(max(attempts - 1, 0), 30)
    wait: timedelta = conf.retry_first() * 2**doublings
    return min(wait, conf.retry_longest())


def should_give_up(*, first_tried_at: datetime | None, now: datetime) -> bool:
    return first_tried_at is not None and now - first_tried_at >= conf.give_up_after()
