"""Conversations that are kept no longer: closed for long, or with nobody left to read them."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from messaging.models import Conversation, Message, Participant
from notifications.services.erasure import forget_subjects

BATCH = 100
MESSAGES = 1000


def delete_closed(*, before: datetime, limit: int = BATCH) -> int:
    """Closed conversations in which nothing was said since `before`; how many went."""
    return _delete(_closed(before), limit)


def count_closed(*, before: datetime) -> int:
    return _closed(before).count()


def delete_abandoned(*, among: Collection[UUID] | None = None, limit: int = BATCH) -> int:
    """Conversations of which no participant has an account any more; how many went."""
    rows = _abandoned()
    if among is not None:
        rows, limit = rows.filter(pk__in=among), len(among)
    return _delete(rows, limit)


def count_abandoned() -> int:
    return _abandoned().count()


def _closed(before: datetime) -> QuerySet[Conversation]:
    return Conversation.objects.filter(state=Conversation.State.CLOSED, last_message_at__lt=before)


def _abandoned() -> QuerySet[Conversation]:
    living = Participant.objects.filter(conversation=OuterRef("pk"), user__isnull=False)
    return Conversation.objects.filter(~Exists(living), buyer__isnull=True, seller__isnull=True)


def _delete(rows: QuerySet[Conversation], limit: int) -> int:
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
    for conversation_id in ids:
        _delete_messages(conversation_id)
    forget_subjects(source="messaging", keys=[str(key) for key in ids])
    Conversation.objects.filter(pk__in=ids).delete()
    return len(ids)


def _delete_messages(conversation_id: UUID) -> None:
    """A thousand at a time: a long thread must not be one long transaction."""
    messages = Message.objects.filter(conversation_id=conversation_id)
    while keys := list(messages.order_by("sequence").values_list("pk", flat=True)[:MESSAGES]):
        Message.objects.filter(pk__in=keys).delete()
