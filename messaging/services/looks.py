"""The notes that somebody of the staff could read what was said; written with what allows it."""

from typing import Any

from messaging import policies
from messaging.models import Conversation, ConversationLook, Participant
from messaging.people import display_name


def note_look(
    *,
    conversation: Conversation,
    user: Any,
    first_sequence: int,
    last_sequence: int | None = None,
) -> None:
    """Inside the caller's transaction. Without a `last_sequence` all that has been said by now."""
    last = conversation.last_sequence if last_sequence is None else last_sequence
    ConversationLook.objects.create(
        conversation=conversation,
        user=user,
        name=display_name(user),
        first_sequence=min(first_sequence, last),
        last_sequence=last,
    )


def note_rest(*, place: Participant, conversation: Conversation) -> None:
    """Somebody goes. Of staff who were put in it is noted too what they have read since then."""
    if not policies.is_staff(place.user):
        return
    looks = ConversationLook.objects.filter(
        conversation=conversation, user=place.user, at__gte=place.joined_at
    )
    looked = looks.order_by("-last_sequence").values_list("last_sequence", flat=True).first()
    if looked is not None and looked < conversation.last_sequence:
        note_look(conversation=conversation, user=place.user, first_sequence=looked + 1)
