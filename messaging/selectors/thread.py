"""One conversation as a page: a run of messages and everything around it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from messaging import conf, presence
from messaging.events import MessageRecord, public_id
from messaging.exceptions import MessagingError
from messaging.listings import find_listing
from messaging.models import Conversation, Message, Participant
from messaging.people import shown_name
from messaging.policies import refuse_writing
from messaging.selectors import messages as selectors
from messaging.selectors.blocks import find_blocks
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
    # The side that its author helps on, who is neither buyer nor seller themselves; else "".
    stands_for: str
    sender_id: Any
    created_at: datetime
    edited: bool
    deleted: bool
    client_message_id: UUID | None
    read: bool
    # Until when its author may still do so; None for everybody else and when it is too late.
    can_edit_until: datetime | None = None
    can_delete_until: datetime | None = None
    first_of_day: bool = False
    starts_group: bool = True
    # Whether to say who wrote it: where that is not plain from the side it stands on.
    names_author: bool = False
    unread_divider: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """A participant, for a page."""

    id: Any
    name: str
    role: str
    read_sequence: int
    stands_for: str = ""
    online: bool = False
    last_seen: str = ""


@dataclass(frozen=True, slots=True)
class ThreadPage:
    conversation: Conversation
    card: ListingCard
    me: Side
    other: Side
    company: list[Side]  # Everybody else who takes part.
    participant_ids: list[Any]  # Of all who take part, the reader too.
    read_by_others: int  # How far the other side has read.
    can_write: bool
    why_not: str
    blocked_by_me: bool
    archived: bool
    starred: bool
    muted: bool
    edit_seconds: int
    delete_seconds: int
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
    blocks = find_blocks(access.me.user_id, [member.user_id for member in _opposite(access)])
    refusal = _find_refusal(access, blocks)
    mine = [blocked for blocker, blocked in blocks if blocker == access.me.user_id]
    other = access.other
    company = [each for each in access.others if each != other and not each.has_left]
    # An edit puts words before the other side, as a message does; to take back is not to write.
    edit_window = timedelta(0) if refusal else conf.edit_window()
    return ThreadPage(
        conversation=conversation,
        card=listing_card(conversation, find_listing(conversation.listing_id)),
        me=_side(access.me, conversation),
        other=_show(other, conversation, hidden=other is not None and _is_among(other, blocks)),
        company=[_side(member, conversation) for member in company],
        participant_ids=_find_ids(access),
        read_by_others=_find_read(access),
        can_write=refusal is None,
        why_not=str(refusal.sentence) if refusal else "",
        blocked_by_me=other is not None and other.user_id in mine,
        archived=access.me.archived,
        starred=access.me.starred,
        muted=access.me.muted,
        edit_seconds=int(edit_window.total_seconds()),
        delete_seconds=int(conf.delete_window().total_seconds()),
        older_before=records[0].sequence if records and records[0].sequence > 1 else None,
        revision=conversation.revision,
        last_sequence=conversation.last_sequence,
        messages=[
            replace(view, names_author=_names_author(view, other, company))
            for view in _views(records, access, edit_window)
        ],
        records=records,
    )


def _opposite(access: Access) -> list[Participant]:
    return [member for member in access.others if member.role != access.me.role]


def _is_among(member: Participant, blocks: list[tuple[Any, Any]]) -> bool:
    return any(member.user_id in pair for pair in blocks)


def _find_refusal(access: Access, blocks: list[tuple[Any, Any]]) -> MessagingError | None:
    """Why the person may not write here, by the same rule that `record` applies."""
    present = [member for member in _opposite(access) if not member.has_left]
    return refuse_writing(
        active=True,
        left=access.me.has_left,
        blocked=any(_is_among(member, blocks) for member in present),
        alone=not any(member.user is not None and member.user.is_active for member in present),
        state=access.conversation.state,
    )


def _find_ids(access: Access) -> list[Any]:
    """As `ready` and `participants` list them; an account that is gone takes no part."""
    present = [member for member in access.members if not member.has_left]
    return [public_id(member.user_id) for member in present if member.user_id is not None]


def _find_read(access: Access) -> int:
    return max((member.read_sequence for member in _opposite(access)), default=0)


def _stands_for(conversation: Conversation, user_id: Any, role: str) -> str:
    return "" if user_id in {conversation.buyer_id, conversation.seller_id} else role


def _names_author(view: MessageView, other: Participant | None, company: list[Participant]) -> bool:
    """On the first of a group, where there are several or it is not the other person's."""
    if view.mine or view.kind == Message.Kind.SYSTEM or not view.starts_group:
        return False
    return bool(company) or other is None or view.sender_id != other.user_id


def _side(member: Participant, conversation: Conversation) -> Side:
    return Side(
        id=member.user_id,
        name=shown_name(member),
        role=member.role,
        read_sequence=member.read_sequence,
        stands_for=_stands_for(conversation, member.user_id, member.role),
    )


def _show(other: Participant | None, conversation: Conversation, *, hidden: bool) -> Side:
    """The other side. `hidden`: between people who cannot write to each other, nobody sees who
    is here."""
    if other is None:
        return Side(None, "", "", 0)
    side = _side(other, conversation)
    if hidden:
        return side
    return replace(
        side,
        online=other.user_id in presence.find_online([other.user_id]),
        last_seen=presence.find_last_seen([other.user_id]).get(other.user_id, ""),
    )


def _views(
    records: list[MessageRecord], access: Access, edit_window: timedelta
) -> list[MessageView]:
    read_by_others = _find_read(access)
    views: list[MessageView] = []
    previous: MessageRecord | None = None
    divider = False
    for record in records:
        mine = record.sender_id is not None and record.sender_id == access.me.user_id
        here = not divider and not mine and _counts_as_unread(record, access.me.read_sequence)
        view = _view(record, previous, mine=mine, read_by_others=read_by_others, divider=here)
        stands_for = _stands_for(access.conversation, record.sender_id, record.role)
        view = replace(view, stands_for=stands_for)
        views.append(_with_ends(view, edit_window) if mine else view)
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
    read_by_others: int,
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
        stands_for="",
        sender_id=record.sender_id,
        created_at=record.created_at,
        edited=record.edited_at is not None,
        deleted=record.deleted,
        client_message_id=record.client_message_id if mine else None,
        read=mine and record.sequence <= read_by_others,
        first_of_day=new_day,
        starts_group=new_day or divider or not _belongs_to(record, previous),
        unread_divider=divider,
    )


def _with_ends(view: MessageView, edit_window: timedelta) -> MessageView:
    """One's own message, with until when it can be changed."""
    if view.deleted:
        return view
    return replace(
        view,
        can_edit_until=_end_of(edit_window, view.created_at),
        can_delete_until=_end_of(conf.delete_window(), view.created_at),
    )


def _end_of(window: timedelta, start: datetime) -> datetime | None:
    end = start + window
    return end if end > timezone.now() else None


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
