"""The door to a conversation, and who is in it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from messaging.events import UserId
from messaging.exceptions import NotFound
from messaging.models import Conversation, Participant, Role
from messaging.selectors.cards import other_side

MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Access:
    """A conversation as one of its participants sees it."""

    conversation: Conversation
    me: Participant
    members: list[Participant]

    @property
    def others(self) -> list[Participant]:
        return [member for member in self.members if member.pk != self.me.pk]

    @property
    def other(self) -> Participant | None:
        return other_side(self.me, self.members)


def access_conversation(*, user: Any, conversation_id: UUID) -> Access:
    """The only way from an id that a client holds to a conversation. One query.

    Raises NotFound, for a stranger's exactly as for one that does not exist.
    """
    rows = Participant.objects.filter(conversation_id=conversation_id)
    members = list(rows.select_related("conversation", "user").order_by("pk"))
    me = next((member for member in members if member.user_id == user.pk), None)
    if me is None or me.left_at is not None:
        raise NotFound()
    return Access(conversation=me.conversation, me=me, members=members)


HAS_LEFT = """
SELECT left_at IS NOT NULL FROM messaging_participant WHERE conversation_id = %s AND user_id = %s
"""


def has_left(user_id: UserId, conversation_id: UUID) -> bool:
    """Of somebody who takes part or has taken part. One query, of every message over HTTP: the ORM
    would take five times as long. Raises NotFound."""
    columns: Any = Participant._meta
    values = {"conversation": conversation_id, "user": user_id}
    given = [columns.get_field(n).get_db_prep_value(v, connection) for n, v in values.items()]
    with connection.cursor() as cursor:
        cursor.execute(HAS_LEFT, given)
        row = cursor.fetchone()
    if row is None:
        raise NotFound()
    return bool(row[0])


def count_unread_conversations(user: Any) -> int:
    return Participant.objects.filter(
        user=user, unread_count__gt=0, left_at__isnull=True, archived=False
    ).count()


def count_waiting_conversations(user: Any) -> int:
    """Conversations in which a buyer waits for this seller; one more than `MOST_COUNTED` for any
    number beyond it, which nobody reads and which would take as long as a page."""
    places = Participant.objects.filter(user=user, left_at__isnull=True, archived=False)
    return find_waiting(places)[: MOST_COUNTED + 1].count()


def find_waiting(places: QuerySet[Participant]) -> QuerySet[Participant]:
    """Those of a seller in which somebody waits who could read the answer: a deactivated account
    cannot, and may come back."""
    readers = Participant.objects.filter(
        conversation=OuterRef("conversation"), left_at__isnull=True, user__is_active=True
    ).exclude(role=Role.SELLER)
    return places.filter(Exists(readers), role=Role.SELLER, waiting_since__isnull=False)
