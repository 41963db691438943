"""What a change does to the inbox row of each participant."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import F

from messaging import conf
from messaging.models import Participant
from messaging.services.drafts import ParticipantRow


class Times(NamedTuple):
    """Of all messages of a batch: now, and when to look after the last and the first of a burst."""

    now: datetime
    look_at: datetime
    look_by: datetime


def times_of(now: datetime) -> Times:
    return Times(now, now + conf.notify_delay(), now + conf.notify_cap())


def touch_inbox_row(member: ParticipantRow, *, sender: ParticipantRow, times: Times) -> None:
    """Apply one message of `sender` to one participant, who may be the sender."""
    now = times.now
    if member.has_left:
        return
    member.changed = True
    member.last_activity_at = now
    if member.role == sender.role:
        member.waiting_since = None  # Somebody of this side has answered.
    elif member.waiting_since is None:
        member.waiting_since = now
    if member.id == sender.id:
        return
    member.unread_count += 1
    member.archived = False  # What was put away comes back when the other side writes.
    if not member.muted and member.active:
        _schedule_look(member, times)


def _schedule_look(member: ParticipantRow, times: Times) -> None:
    """Trailing delay with a cap: after the last message of a burst, never long after the first."""
    if member.notify_at is None or member.notify_by is None:
        member.notify_by = times.look_by
    member.notify_at = min(times.look_at, member.notify_by)


# For an `update()` of a participant's row: an inbox that has missed it learns so by its cursor.
ONE_CHANGE = {"changes": F("changes") + 1}


def note_changes(conversation_ids: Iterable[UUID]) -> None:
    """Something that every inbox shows has changed. With the conversations locked."""
    Participant.objects.filter(conversation_id__in=list(conversation_ids)).update(**ONE_CHANGE)
