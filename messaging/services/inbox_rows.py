"""What a change does to the inbox row of each participant."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import F

from messaging import conf
from messaging.models import Participant
from messaging.services.drafts import ParticipantRow


def touch_inbox_row(member: ParticipantRow, *, sender: ParticipantRow, now: datetime) -> None:
    """Apply one message of `sender` to one participant, who may be the sender."""
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
        _schedule_look(member, now)


def _schedule_look(member: ParticipantRow, now: datetime) -> None:
    """Trailing delay with a cap: after the last message of a burst, never long after the first."""
    if member.notify_at is None or member.notify_by is None:
        member.notify_by = now + conf.notify_cap()
    member.notify_at = min(now + conf.notify_delay(), member.notify_by)


# For an `update()` of a participant's row: an inbox that has missed it learns so by its cursor.
ONE_CHANGE = {"changes": F("changes") + 1}


def note_changes(conversation_ids: Iterable[UUID]) -> None:
    """Something that every inbox shows has changed. With the conversations locked."""
    Participant.objects.filter(conversation_id__in=list(conversation_ids)).update(**ONE_CHANGE)
