"""What the deletion of a message changes in the inbox rows of those who take part.

Called with the conversation locked, and its participants after it.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from messaging.models import Message, Participant
from messaging.services.reading import count_unread


def recount_after_deletion(members: Iterable[Participant], message: Message) -> None:
    """Who had not read it has one less to read; and whoever now seems unanswered is waited for,
    as if the message had never been."""
    everybody = list(members)
    waiting = {
        role: _find_waiting_since(message, role) if _is_manned(everybody, role) else None
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


def _is_manned(members: Iterable[Participant], role: str) -> bool:
    """Whether somebody could take an answer of this side. Nobody waits where there is nobody."""
    return any(m.role != role and m.user_id is not None and not m.has_left for m in members)


def _find_waiting_since(message: Message, role: str) -> datetime | None:
    """When the other side's first message came that this side has not answered."""
    said = _said(message)
    answer = said.filter(sender__role=role).order_by("-sequence").values("sequence").first()
    unanswered = said.exclude(sender__role=role)
    if answer is not None:
        unanswered = unanswered.filter(sequence__gt=answer["sequence"])
    first = unanswered.order_by("sequence").values("created_at").first()
    return first["created_at"] if first else None


def _said(message: Message) -> QuerySet[Message]:
    """What people said in its conversation and have not taken back."""
    return Message.objects.filter(
        conversation_id=message.conversation_id,
        kind=Message.Kind.TEXT,
        sender__isnull=False,
        deleted_at__isnull=True,
    )
