"""What staff do with conversations that are not theirs: look into one, close it, open it again."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from messaging import policies
from messaging.events import MessageRecord
from messaging.exceptions import NotFound
from messaging.models import Conversation
from messaging.selectors import messages as selectors
from messaging.services.looks import note_look


@dataclass(frozen=True, slots=True)
class StaffPage:
    """A run of messages, oldest first, and where the older ones end; None at the beginning."""

    messages: list[MessageRecord]
    older_before: int | None


def look_into(*, conversation: Conversation, user: Any, before: int | None = None) -> StaffPage:
    """The newest 50 messages, or the 50 before a sequence; and a note of who read them, in the
    same transaction: what could not be noted is not shown. Raises Forbidden."""
    policies.check_can_look(user=user)
    key = conversation.pk
    with transaction.atomic():
        found = selectors.newest(key) if before is None else selectors.before(key, before)
        note_look(
            conversation=conversation,
            user=user,
            first_sequence=found[0].sequence if found else 0,
            last_sequence=found[-1].sequence if found else 0,
        )
    older = found[0].sequence if found and found[0].sequence > 1 else None
    return StaffPage(found, older)


def close_conversation(*, conversation_id: UUID, closed_by: Any) -> bool:
    """Nobody writes in it from now on; open rooms are told by the refusal. Whether it was open.

    Raises Forbidden, NotFound.
    """
    return _set_state(conversation_id, Conversation.State.CLOSED, closed_by)


def reopen_conversation(*, conversation_id: UUID, opened_by: Any) -> bool:
    """Whether it was closed. Raises Forbidden, NotFound."""
    return _set_state(conversation_id, Conversation.State.OPEN, opened_by)


def _set_state(conversation_id: UUID, state: Conversation.State, user: Any) -> bool:
    policies.check_can_close(user=user)
    with transaction.atomic():
        rows = Conversation.objects.select_for_update(no_key=True)
        conversation = rows.filter(pk=conversation_id).first()
        if conversation is None:
            raise NotFound()
        if conversation.state == state:
            return False
        conversation.state = state
        conversation.save(update_fields=["state"])
    return True
