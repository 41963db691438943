"""The pages of an inbox: rows by newest activity, or by longest waiting, in keyset pages."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from messaging import conf, presence
from messaging.events import Frame, iso, public_id
from messaging.exceptions import Invalid
from messaging.fields import has_unstorable_text
from messaging.listings import read_slug, shown_listings
from messaging.models import Message, Participant, Role
from messaging.people import shown_name
from messaging.selectors.blocks import find_hidden
from messaging.selectors.cards import ListingCard, listing_card, other_side
from messaging.selectors.conversations import find_waiting
from messaging.selectors.messages import last_messages
from messaging.selectors.searching import find_matching

PAGE = 25
STATES = ("unread", "needs_reply", "starred", "archived")
FILTERS = ("role", "listing", "state", "q")
LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A conversation as one line of its participant's inbox."""

    id: UUID
    url: str
    other_id: Any
    other_name: str
    other_online: bool
    role: str
    listing: ListingCard
    last_text: str
    last_username: str
    last_mine: bool
    last_deleted: bool
    last_at: datetime
    unread: int
    waiting_since: datetime | None
    archived: bool
    starred: bool
    muted: bool

    def as_dict(self) -> Frame:
        return {
            "conversation": str(self.id),
            "listing": self.listing.as_dict(),
            "other": {
                "id": public_id(self.other_id),
                "username": self.other_name,
                "online": self.other_online,
            },
            "role": self.role,
            "last_message": {
                "message": self.last_text,
                "username": self.last_username,
                "created_at": iso(self.last_at),
            },
            "unread": self.unread,
            "waiting_since": iso(self.waiting_since),
            "archived": self.archived,
            "starred": self.starred,
            "muted": self.muted,
        }


@dataclass(frozen=True, slots=True)
class InboxPage:
    rows: list[InboxRow]
    next_cursor: str | None


def read_filters(query: Mapping[str, str]) -> dict[str, str]:
    """The filters of the inbox out of a query string. Raises Invalid for values that are none."""
    filters = {name: query.get(name, "").strip() for name in FILTERS}
    if filters["role"] not in ("", *Role.values):
        raise Invalid(_("The field “role” must be buyer or seller."))
    if filters["state"] not in ("", *STATES):
        raise Invalid(_("The field “state” is not one of those there are."))
    if len(filters["q"]) > LONGEST_SEARCH:
        raise Invalid(_("This is too long to search for. Use a few words."))
    if any(has_unstorable_text(value) for value in filters.values()):
        raise Invalid(_("The search has a character that cannot be searched for."))
    return filters


def page_conversations(
    *, user: Any, filters: Mapping[str, str], cursor: str = "", limit: int = PAGE
) -> InboxPage:
    """One page. The number of queries does not depend on how many rows there are."""
    rows = _filtered(user, filters)
    oldest_first = filters["state"] == "needs_reply"
    field = "waiting_since" if oldest_first else "last_activity_at"
    rows = _after(rows, field, cursor, oldest_first=oldest_first)
    order = (field, "pk") if oldest_first else (f"-{field}", "-pk")
    if filters["q"]:
        rows = find_matching(rows, filters["q"], user=user, order=order, enough=limit + 1)
    found = list(rows.select_related("conversation").order_by(*order)[: limit + 1])
    page, more = found[:limit], len(found) > limit
    return InboxPage(
        rows=make_rows(page),
        next_cursor=_encode(getattr(page[-1], field), page[-1].pk) if more else None,
    )


def _filtered(user: Any, filters: Mapping[str, str]) -> QuerySet[Participant]:
    rows = Participant.objects.filter(user=user, left_at__isnull=True)
    state = filters["state"]
    rows = rows.filter(archived=state == "archived")
    if state == "unread":
        rows = rows.filter(unread_count__gt=0)
    elif state == "starred":
        rows = rows.filter(starred=True)
    elif state == "needs_reply":
        rows = find_waiting(rows)
    if filters["role"]:
        rows = rows.filter(role=filters["role"])
    if filters["listing"]:
        slug = f"conversation__listing__{conf.listing_slug_field()}"
        value = read_slug(filters["listing"])
        rows = rows.filter(**{slug: value}) if value else rows.none()
    return rows


def _after(
    rows: QuerySet[Participant], field: str, cursor: str, *, oldest_first: bool
) -> QuerySet[Participant]:
    if not cursor:
        return rows
    moment, key = _decode(cursor)
    than = "gt" if oldest_first else "lt"
    return rows.filter(Q(**{f"{field}__{than}": moment}) | Q(**{field: moment, f"pk__{than}": key}))


def _encode(moment: datetime, key: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([moment.isoformat(), key]).encode()).decode()


def _decode(cursor: str) -> tuple[datetime, int]:
    try:
        moment, key = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        parsed = parse_datetime(moment)
        if parsed is None or parsed.tzinfo is None or not 0 <= int(key) < 2**63:
            raise ValueError
        return parsed.astimezone(UTC), int(key)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Invalid(_("The field “cursor” is not one of ours.")) from None


def make_rows(places: list[Participant]) -> list[InboxRow]:
    """Rows for these places of one person. Four queries whatever their number, and one more when
    somebody is here who may have to be hidden."""
    conversations = [place.conversation for place in places]
    members: dict[UUID, list[Participant]] = {row.pk: [] for row in conversations}
    for member in Participant.objects.filter(conversation__in=members).order_by("pk"):
        members[member.conversation_id].append(member)
    listings = {
        listing.pk: listing
        for listing in shown_listings().filter(
            pk__in={row.listing_id for row in conversations if row.listing_id}
        )
    }
    last = last_messages(conversations)
    others = {place.pk: other_side(place, members[place.conversation_id]) for place in places}
    online = presence.find_online(other.user_id for other in others.values() if other)
    if online:
        online -= find_hidden(places[0].user_id, online)
    return [
        _row(
            place,
            others[place.pk],
            members[place.conversation_id],
            listings.get(place.conversation.listing_id),
            last.get(place.conversation_id),
            online,
        )
        for place in places
    ]


def _row(
    me: Participant,
    other: Participant | None,
    members: list[Participant],
    listing: Any,
    last: Message | None,
    online: set[Any],
) -> InboxRow:
    mine = last is not None and last.sender_id == me.pk
    deleted = last is not None and last.deleted_at is not None
    return InboxRow(
        id=me.conversation_id,
        url=me.conversation.get_absolute_url(),
        other_id=other.user_id if other else None,
        other_name=shown_name(other) if other else "",
        other_online=bool(other and other.user_id in online),
        role=me.role,
        listing=listing_card(me.conversation, listing),
        last_text=last.body if last and not deleted else "",
        last_username=_author(members, last),
        last_mine=mine,
        last_deleted=deleted,
        last_at=last.created_at if last else me.last_activity_at,
        unread=me.unread_count,
        waiting_since=me.waiting_since,
        archived=me.archived,
        starred=me.starred,
        muted=me.muted,
    )


def _author(members: list[Participant], last: Message | None) -> str:
    """Who said it: of one's own side or of the other, and perhaps no longer here."""
    key = last.sender_id if last else None
    return next((shown_name(member) for member in members if key and member.pk == key), "")
