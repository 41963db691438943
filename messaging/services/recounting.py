"""Who waits for an answer, and how much is unread, counted anew from the messages.

Called with the conversation locked, and its participants after it.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from messaging.models import Message, Participant
from messaging.services.reading import count_unread


def recount_after_deletion(members: Iterable[Participant], message: Message) -> None:
    """Who had not read it has one less to read; and whoever now seems unanswered is waited for,
    as if the message had never been."""
    everybody = list(members)
    waiting = {
        role: find_waiting_for(everybody, message.conversation_id, role)
        for role in {member.role for member in everybody}
    }
    for member in everybody:
        if member.user_id is None or member.has_left:
            continue
        unread = member.unread_count
        if member.read_sequence < message.sequence and member.pk != message.sender_id:
            unread = count_unread(member, member.read_sequence)
        if (unread, waiting[member.role]) != (member.unread_count, member.waiting_since):
            Participant.objects.filter(pk=member.pk).update(
                unread_count=unread, waiting_since=waiting[member.role]
            )


def is_manned(members: Iterable[Participant], role: str) -> bool:
    """Whether somebody is on this side."""
    return any(m.role == role and m.user_id is not None and not m.has_left for m in members)


def find_waiting_for(
    members: list[Participant], conversation_id: UUID, role: str
) -> datetime | None:
    """Since when this side is waited for. Nobody waits where there is nobody."""
    if not any(is_manned(members, member.role) for member in members if member.role != role):
        return None
    return find_waiting_since(conversation_id, role)


def find_waiting_since(conversation_id: UUID, role: str) -> datetime | None:
    """When the other side's first message came that this side has not answered."""
    said = _said(conversation_id).filter(sequence__gt=find_answered(conversation_id, role))
    moments = said.exclude(sender__role=role).order_by("sequence")
    first: datetime | None = moments.values_list("created_at", flat=True).first()
    return first


def find_answered(conversation_id: UUID, role: str) -> int:
    """The last message that a side itself has written; 0 for none."""
    written = _said(conversation_id).filter(sender__role=role).order_by("-sequence")
    return written.values_list("sequence", flat=True).first() or 0


def _said(conversation_id: UUID) -> QuerySet[Message]:
    """What people said and have not taken back."""
    return Message.objects.filter(
        conversation_id=conversation_id,
        kind=Message.Kind.TEXT,
        sender__isnull=False,
        deleted_at__isnull=True,
    )
