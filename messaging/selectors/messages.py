"""Reading messages, always by an index and never more than a page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from messaging.events import MessageRecord
from messaging.exceptions import NotFound
from messaging.models import Conversation, Message, Participant
from messaging.people import shown_name
from messaging.policies import check_is_own
from messaging.selectors.conversations import Access

CHANGES_PAGE = 200
HISTORY_PAGE = 50
PAGE_CODE_POINTS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of changes in revision order, and the revision up to which it is complete."""

    messages: list[MessageRecord]
    cursor: int
    more: bool


def to_record(message: Message, members: dict[int, Participant]) -> MessageRecord:
    sender = members.get(message.sender_id) if message.sender_id else None
    return MessageRecord(
        conversation_id=message.conversation_id,
        id=message.pk,
        sequence=message.sequence,
        created_revision=message.created_revision,
        revision=message.revision,
        body="" if message.deleted_at else message.body,
        username=shown_name(sender) if sender else "",
        sender_id=sender.user_id if sender else None,
        role=sender.role if sender else "",
        kind=message.kind,
        client_message_id=message.client_message_id,
        created_at=message.created_at,
        edited_at=message.edited_at,
        deleted=message.deleted_at is not None,
    )


def _records(rows: Iterable[Message], conversation_id: UUID) -> list[MessageRecord]:
    found = list(rows)
    senders = {row.sender_id for row in found if row.sender_id}
    members = {
        member.pk: member
        for member in Participant.objects.filter(conversation_id=conversation_id)
        if member.pk in senders
    }
    return [to_record(row, members) for row in found]


def _of(conversation_id: UUID) -> QuerySet[Message]:
    return Message.objects.filter(conversation_id=conversation_id)


@dataclass(frozen=True, slots=True)
class OwnMessage:
    message: Message
    record: MessageRecord


def read_own_message(access: Access, sequence: int) -> OwnMessage:
    """A message of the reader's own. Raises NotFound, and Forbidden for what others wrote."""
    message = _of(access.conversation.pk).filter(sequence=sequence).first()
    if message is None:
        raise NotFound()
    check_is_own(message=message, participant=access.me)
    return OwnMessage(message, to_record(message, {access.me.pk: access.me}))


def changes_after(conversation_id: UUID, after: int, limit: int = CHANGES_PAGE) -> Changes:
    """What changed since a revision. The head is read first: rows that come after it are complete
    up to it, and only what is newer still can be missing."""
    head = (
        Conversation.objects.filter(pk=conversation_id).values_list("revision", flat=True).first()
    )
    found = list(_of(conversation_id).filter(revision__gt=after).order_by("revision")[:limit])
    rows = _first_of(found)
    more = len(rows) < len(found) or len(found) == limit
    last = rows[-1].revision if rows else 0
    cursor = last if more else max(head or 0, last)
    return Changes(messages=_records(rows, conversation_id), cursor=cursor, more=more)


def _first_of(rows: list[Message]) -> list[Message]:
    """As many as a page may be long, one at least: 200 long ones would be megabytes."""
    size = 0
    for number, row in enumerate(rows):
        size += len(row.body)
        if size > PAGE_CODE_POINTS and number:
            return rows[:number]
    return rows


def newest(conversation_id: UUID, limit: int = HISTORY_PAGE) -> list[MessageRecord]:
    """The end of a thread, oldest first."""
    rows = _of(conversation_id).order_by("-sequence")[:limit]
    return _records(reversed(rows), conversation_id)


def before(conversation_id: UUID, sequence: int, limit: int = HISTORY_PAGE) -> list[MessageRecord]:
    """The messages just before a sequence, oldest first."""
    rows = _of(conversation_id).filter(sequence__lt=sequence).order_by("-sequence")[:limit]
    return _records(reversed(rows), conversation_id)


def last_messages(conversations: Iterable[Conversation]) -> dict[Any, Message]:
    """The newest message of each conversation, by its id. One query."""
    heads = {(row.pk, row.last_sequence) for row in conversations}
    rows = Message.objects.filter(
        conversation_id__in=[key for key, _ in heads],
        sequence__in={sequence for _, sequence in heads},
    )
    return {
        row.conversation_id: row for row in rows if (row.conversation_id, row.sequence) in heads
    }
