"""The door to a conversation, and who is in it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from messaging.exceptions import NotFound
from messaging.models import Conversation, Participant


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
        """The person on the other side: of several the first who still takes part."""
        opposite = [member for member in self.others if member.role != self.me.role]
        return min(opposite, key=lambda member: member.has_left, default=None)


def access_conversation(*, user: Any, conversation_id: UUID) -> Access:
    """The only way from an id that a client holds to a conversation. One query.

    Raises NotFound, for a stranger's exactly as for one that does not exist.
    """
    members = list(
        Participant.objects.filter(conversation_id=conversation_id)
        .select_related("conversation", "user")
        .order_by("pk")
    )
    me = next((member for member in members if member.user_id == user.pk), None)
    if me is None or me.left_at is not None:
        raise NotFound()
    return Access(conversation=me.conversation, me=me, members=members)


def count_unread_conversations(user: Any) -> int:
    return Participant.objects.filter(
        user=user, unread_count__gt=0, left_at__isnull=True, archived=False
    ).count()


def count_waiting_conversations(user: Any) -> int:
    """Conversations in which a buyer waits for this seller."""
    return Participant.objects.filter(
        user=user, role="seller", waiting_since__isnull=False, left_at__isnull=True, archived=False
    ).count()
