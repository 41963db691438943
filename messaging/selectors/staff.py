"""How staff find conversations among a million: by an index, and never more than they can read."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from messaging.models import Conversation, Participant

MOST_OF_A_KIND = 1_000


def find_conversations(*, title: str, user_ids: Sequence[Any]) -> set[UUID]:
    """Those whose listing's title begins so, and those of these people; the newest 1,000 each."""
    titled = Conversation.objects.filter(listing_title__istartswith=title)
    places = Participant.objects.filter(user__in=user_ids)
    return {
        *titled.order_by("-pk").values_list("pk", flat=True)[:MOST_OF_A_KIND],
        *places.order_by("-last_activity_at").values_list("conversation_id", flat=True)[
            :MOST_OF_A_KIND
        ],
    }
