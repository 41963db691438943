"""One conversation as a page: a run of messages and everything around it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from messaging import presence
from messaging.events import MessageRecord
from messaging.exceptions import MessagingError
from messaging.listings import listing_class
from messaging.models import Block, Conversation, Message, Participant
from messaging.policies import refuse_writing
from messaging.selectors import messages as selectors
from messaging.selectors.cards import ListingCard, listing_card
from messaging.selectors.conversations import Access
from messaging.selectors.inbox import InboxRow

GROUP_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as one reader sees it in its place."""

    id: int
    sequence: int
    revision: int
    kind: str
    body: str
    mine: bool
    username: str
    role: str
    sender_id: Any
    created_at: datetime | None
    edited: bool
    deleted: bool
    client_message_id: UUID | None
    read: bool
    first_of_day: bool = False
    starts_group: bool = True
    unread_divider: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """A participant, for a page."""

    id: Any
    name: str
    role: str
    read_sequence: int
    online: bool = False
    last_seen: str = ""


@dataclass(frozen=True, slots=True)
class ThreadPage:
    conversation: Conversation
    card: ListingCard
    me: Side
    other: Side
    can_write: bool
    why_not: str
    older_before: int | None
    revision: int
    last_sequence: int
    messages: list[MessageView]
    records: list[MessageRecord]
    # What a view adds: the way to older messages, the list beside the thread, a reply that failed.
    older_url: str = ""
    rows: list[InboxRow] = field(default_factory=list)
    rows_url: str = ""
    draft: str = ""
    error: str = ""
    client_message_id: str = ""


def read_thread(access: Access, *, before: int | None = None) -> ThreadPage:
    """The newest 50 messages, or the 50 before a sequence. Changes nothing."""
    conversation = access.conversation
    records = (
        selectors.newest(conversation.pk)
        if before is None
        else selectors.before(conversation.pk, before)
    )
    refusal = find_refusal(access)
    return ThreadPage(
        conversation=conversation,
        card=listing_card(conversation, _find_listing(conversation)),
        me=_side(access.me),
        other=_other(access),
        can_write=refusal is None,
        why_not=str(refusal.sentence) if refusal else "",
        older_before=records[0].sequence if records and records[0].sequence > 1 else None,
        revision=conversation.revision,
        last_sequence=conversation.last_sequence,
        messages=_views(records, access),
        records=records,
    )


def _find_listing(conversation: Conversation) -> Any | None:
    if conversation.listing_id is None:
        return None
    return listing_class().for_messaging().filter(pk=conversation.listing_id).first()


def find_refusal(access: Access) -> MessagingError | None:
    """Why the person may not write here, by the same rule that `record` applies."""
    opposite = [m.user for m in access.others if m.role != access.me.role and not m.has_left]
    mine, theirs = access.me.user_id, [user.pk for user in opposite if user is not None]
    blocked = (
        Block.objects.filter(blocker=mine, blocked__in=theirs)
        | Block.objects.filter(blocker__in=theirs, blocked=mine)
    ).exists()
    return refuse_writing(
        active=True,
        left=access.me.has_left,
        blocked=blocked,
        alone=not any(user is not None and user.is_active for user in opposite),
        state=access.conversation.state,
    )


def _side(member: Participant) -> Side:
    return Side(member.user_id, member.name, member.role, member.read_sequence)


def _other(access: Access) -> Side:
    other = access.other
    if other is None:
        return Side(None, "", "", 0)
    return Side(
        id=other.user_id,
        name=other.name,
        role=other.role,
        read_sequence=other.read_sequence,
        online=other.user_id in presence.find_online([other.user_id]),
        last_seen=presence.find_last_seen([other.user_id]).get(other.user_id, ""),
    )


def _views(records: list[MessageRecord], access: Access) -> list[MessageView]:
    opposite = [member for member in access.others if member.role != access.me.role]
    read_by_other = max((member.read_sequence for member in opposite), default=0)
    views: list[MessageView] = []
    previous: MessageRecord | None = None
    divider = False
    for record in records:
        mine = record.sender_id is not None and record.sender_id == access.me.user_id
        here = not divider and not mine and _counts_as_unread(record, access.me.read_sequence)
        views.append(_view(record, previous, mine=mine, read_by_other=read_by_other, divider=here))
        divider, previous = divider or here, record
    return views


def _counts_as_unread(record: MessageRecord, read_sequence: int) -> bool:
    """As the unread count counts: what is in it and nothing else stands below the divider."""
    text = record.kind != Message.Kind.SYSTEM and not record.deleted
    return text and record.sequence > read_sequence


def _view(
    record: MessageRecord,
    previous: MessageRecord | None,
    *,
    mine: bool,
    read_by_other: int,
    divider: bool = False,
) -> MessageView:
    new_day = previous is None or _day(previous.created_at) != _day(record.created_at)
    return MessageView(
        id=record.id,
        sequence=record.sequence,
        revision=record.revision,
        kind=record.kind,
        body=record.body,
        mine=mine,
        username=record.username,
        role=record.role,
        sender_id=record.sender_id,
        created_at=record.created_at,
        edited=record.edited_at is not None,
        deleted=record.deleted,
        client_message_id=record.client_message_id if mine else None,
        read=mine and record.sequence <= read_by_other,
        first_of_day=new_day,
        starts_group=new_day or divider or not _belongs_to(record, previous),
        unread_divider=divider,
    )


def _day(moment: datetime) -> Any:
    return timezone.localtime(moment).date()


def _belongs_to(record: MessageRecord, previous: MessageRecord | None) -> bool:
    """Whether a message continues the group of the one before it."""
    return (
        previous is not None
        and previous.kind == record.kind
        and previous.sender_id == record.sender_id
        and record.created_at - previous.created_at < GROUP_WITHIN
    )
