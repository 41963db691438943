"""Messaging's side of the plug in `notifications.sources`: who is due, and what is still owed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from messaging import presence
from messaging.listings import find_listing
from messaging.models import Block, Conversation, Message, Participant
from messaging.notification_spans import find_owed, find_subjects, unread
from messaging.people import lazy_name
from messaging.selectors.cards import listing_card, other_side
from messaging.services.holding import wait_at_most
from messaging.services.told import note_told
from notifications import failpoints
from notifications.sources import Content, ContentMessage, Due, Owed, Span, Subject

LEASE = timedelta(seconds=60)
HELD_SECONDS = 0.1  # To wait for a row that somebody else holds, while many are held here.
SHOWN = 10
CONTEXT = 2


class MessagingSource:
    """A burst of messages to one person in one conversation, told about once."""

    name = "messaging"
    kind = "new_message"

    def claim_due(self, *, now: datetime, limit: int) -> list[Due]:
        """Rows whose moment has come, moved a minute on: whoever dies with them loses nothing."""
        lease = now + LEASE
        with transaction.atomic():
            rows = list(
                Participant.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
                .filter(notify_at__lte=now, user__isnull=False)
                .order_by("notify_at")[:limit]
            )
            Participant.objects.filter(pk__in=[row.pk for row in rows]).update(notify_at=lease)
            # Once the rows are locked, and not joined to them: a row that changes while it is found
            # is locked as it is then, beside a conversation as it was before.
            heads = dict(
                Conversation.objects.filter(
                    pk__in=[row.conversation_id for row in rows]
                ).values_list("pk", "last_sequence")
            )
        failpoints.reach("source.claimed")
        return [self._due(row, heads[row.conversation_id], lease) for row in rows]

    def _due(self, row: Participant, head: int, lease: datetime) -> Due:
        return Due(
            recipient_id=row.user_id,
            key=str(row.conversation_id),
            first_sequence=row.notified_sequence + 1,
            last_sequence=head,
            kind=self.kind,
            token=(row.pk, lease),
        )

    def settle(self, dues: Mapping[Due, datetime | None]) -> None:
        """A message that came meanwhile has set a time of its own, which stays."""
        with transaction.atomic():
            if len(dues) > 1:  # Else one row that somebody holds would hold up all the others.
                wait_at_most(HELD_SECONDS)
            rows = Participant.objects.select_for_update(no_key=True)
            rows = rows.filter(pk__in=[due.token[0] for due in dues]).order_by("pk")
            moments = dict(rows.values_list("pk", "notify_at"))
            following: dict[datetime | None, list[int]] = {}
            for due, again in dues.items():
                key, lease = due.token
                if key in moments and moments[key] == lease:
                    following.setdefault(again, []).append(key)
            for again, keys in following.items():
                change = {"notify_at": again} if again else {"notify_at": None, "notify_by": None}
                Participant.objects.filter(pk__in=keys).update(**change)
            told = [due for due, again in dues.items() if again is None and due.token[0] in moments]
            note_told({due.token[0]: due.last_sequence for due in told})

    def look(self, spans: Sequence[Span]) -> list[Owed]:
        return find_owed(spans)

    def subjects(self, spans: Sequence[Span]) -> list[Subject]:
        return find_subjects(spans)

    def find_waiting(self, pairs: Collection[tuple[Any, str]]) -> set[tuple[Any, str]]:
        """Without those whom a block concerns, whomever it is between."""
        online = presence.find_online({recipient_id for recipient_id, _ in pairs})
        if not online:
            return set()
        blocks = Block.objects.filter(Q(blocker_id__in=online) | Q(blocked_id__in=online))
        apart = {person for pair in blocks.values_list("blocker", "blocked") for person in pair}
        places = Participant.objects.filter(
            user_id__in=online - apart,
            conversation_id__in={key for recipient_id, key in pairs if recipient_id in online},
            left_at__isnull=True,
            muted=False,
            unread_count__gt=0,
        )
        found = {(user, str(key)) for user, key in places.values_list("user_id", "conversation_id")}
        return found & set(pairs)

    def content(self, span: Span) -> Content:
        """The unread messages, ten at most, after up to two that come before them."""
        place = self._place(span.recipient_id, span.key)
        if place is None:
            return Content(title="", url="", thumbnail_url="", other_name="")
        new = unread(place, span.first_sequence).filter(sequence__lte=span.last_sequence)
        shown = list(new.order_by("sequence")[:SHOWN])
        before = self._context(place, shown[0].sequence) if shown else []
        members = list(Participant.objects.filter(conversation=place.conversation).order_by("pk"))
        other = other_side(place, members)
        names = {member.pk: lazy_name(member) for member in members}
        card = listing_card(place.conversation, find_listing(place.conversation.listing_id))
        return Content(
            title=card.title,
            url=place.conversation.get_absolute_url(),
            thumbnail_url=card.thumbnail,
            other_name=lazy_name(other) if other else "",
            messages=[
                *(_shown(message, place, names, new=False) for message in before),
                *(_shown(message, place, names, new=True) for message in shown),
            ],
            more_count=max(0, new.count() - len(shown)),
        )

    @staticmethod
    def _place(recipient_id: Any, key: str) -> Participant | None:
        return (
            Participant.objects.select_related("conversation")
            .filter(conversation_id=key, user_id=recipient_id)
            .first()
        )

    @staticmethod
    def _context(place: Participant, sequence: int) -> list[Message]:
        rows = Message.objects.filter(
            conversation_id=place.conversation_id,
            sequence__lt=sequence,
            kind=Message.Kind.TEXT,
            deleted_at__isnull=True,
        )
        return list(reversed(rows.order_by("-sequence")[:CONTEXT]))


def _shown(
    message: Message, place: Participant, names: dict[int, str], *, new: bool
) -> ContentMessage:
    return ContentMessage(
        name=names.get(message.sender_id or 0, ""),
        body=message.body,
        created_at=message.created_at,
        mine=message.sender_id == place.pk,
        new=new,
    )
