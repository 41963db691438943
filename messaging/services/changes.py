"""Editing and deleting one's own messages, under the conversation's lock: each takes a revision.

A change of what has been stored leaves `sequence`, time and order alone. Whoever takes part is told
with `message_changed`; who misses that reads it by its revision.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from messaging import policies, rate_limits
from messaging.events import Frame, UserId, groups_of, iso, message_event
from messaging.exceptions import MessagingError, NotFound, Unauthenticated
from messaging.models import Conversation, Message, Participant
from messaging.selectors.blocks import find_blocks
from messaging.selectors.connections import check_session
from messaging.selectors.messages import to_record
from messaging.services.attempts import attempt
from messaging.services.holding import hold_sessions
from messaging.services.inbox_rows import note_changes
from messaging.services.messages import publish_on_commit
from messaging.services.recounting import recount_after_deletion
from messaging.sessions import SessionStamp
from notifications import failpoints


@dataclass(frozen=True, slots=True)
class ChangeReceipt:
    """A message as it is now. `duplicate`: it was so already, and no revision was taken."""

    conversation_id: UUID
    id: int
    sequence: int
    revision: int
    created_at: datetime
    duplicate: bool = False

    def as_dict(self) -> Frame:
        return {
            "id": self.id,
            "sequence": self.sequence,
            "revision": self.revision,
            "created_at": iso(self.created_at),
            "duplicate": self.duplicate,
        }


@dataclass(frozen=True, slots=True)
class _Held:
    """A message and everybody in its conversation, locked."""

    conversation: Conversation
    message: Message
    me: Participant
    members: list[Participant]
    origin: str


def edit_message(
    *,
    user_id: UserId,
    conversation_id: UUID,
    sequence: int,
    body: str,
    session: SessionStamp | None = None,
    origin: str = "",
) -> ChangeReceipt:
    """Give one's own message another text (`body` from `normalise_body`).

    Counts as a send, unless it has that text already: then nothing changes, and whoever repeats
    an edit is answered. Raises NotFound, Forbidden, RateLimited, Unauthenticated, Unavailable.
    """
    release = rate_limits.take_send(user_id)
    try:
        receipt = _change(
            lambda held: _edit(held, body), user_id, conversation_id, sequence, session, origin
        )
    except MessagingError:
        release()
        raise
    if receipt.duplicate:
        release()
    return receipt


def delete_message(
    *,
    user_id: UserId,
    conversation_id: UUID,
    sequence: int,
    session: SessionStamp | None = None,
    origin: str = "",
) -> ChangeReceipt:
    """Take one's own message back: its text goes for good, its place stays. Twice does no harm.

    It is possible after a block and in a closed conversation too, since to take something back is
    not to write. It counts as no send: there is one for each message at most.
    Raises NotFound, Forbidden, Unauthenticated, Unavailable.
    """
    return _change(_delete, user_id, conversation_id, sequence, session, origin)


def _change(
    change: Callable[[_Held], ChangeReceipt],
    user_id: UserId,
    conversation_id: UUID,
    sequence: int,
    session: SessionStamp | None,
    origin: str,
) -> ChangeReceipt:
    @transaction.atomic
    def hold_and_change() -> ChangeReceipt:
        return change(_hold(user_id, conversation_id, sequence, session, origin))

    receipt = attempt(hold_and_change)
    failpoints.reach("changes.committed")
    return receipt


def _hold(
    user_id: UserId,
    conversation_id: UUID,
    sequence: int,
    session: SessionStamp | None,
    origin: str,
) -> _Held:
    """Lock the conversation, then its participants by id, and find the message."""
    hold_sessions([(user_id, session)])
    conversation = (
        Conversation.objects.select_for_update(no_key=True).filter(pk=conversation_id).first()
    )
    members = list(
        Participant.objects.select_for_update(of=("self",), no_key=True)
        .filter(conversation_id=conversation_id)
        .select_related("user")
        .order_by("pk")
    )
    me = next((member for member in members if member.user_id == user_id), None)
    if conversation is None or me is None or me.has_left:
        raise NotFound()
    if session is not None:
        check_session(user_id, session)
    if me.user is None or not me.user.is_active:
        raise Unauthenticated()
    message = Message.objects.filter(conversation_id=conversation_id, sequence=sequence).first()
    if message is None:
        raise NotFound()
    policies.check_is_own(message=message, participant=me)
    return _Held(conversation, message, me, members, origin)


def _edit(held: _Held, body: str) -> ChangeReceipt:
    message = held.message
    if message.deleted_at is None and message.body == body:
        return _receipt(message, duplicate=True)
    _check_may_write(held)
    now = timezone.now()
    policies.check_can_edit(message=message, participant=held.me, now=now)
    message.edited_at = now
    return _store(held, body)


def _delete(held: _Held) -> ChangeReceipt:
    message = held.message
    if message.deleted_at is not None:
        return _receipt(message, duplicate=True)
    now = timezone.now()
    policies.check_can_delete(message=message, participant=held.me, now=now)
    message.deleted_at = now
    receipt = _store(held, "")
    recount_after_deletion(held.members, message)
    return receipt


def _check_may_write(held: _Held) -> None:
    """An edit puts words before the other side, as a message does."""
    opposite = [m for m in held.members if m.role != held.me.role and not m.has_left]
    refusal = policies.refuse_writing(
        active=True,
        left=False,
        blocked=bool(find_blocks(held.me.user_id, [member.user_id for member in opposite])),
        alone=not any(member.user is not None and member.user.is_active for member in opposite),
        state=held.conversation.state,
    )
    if refusal is not None:
        raise refusal


def _store(held: _Held, body: str) -> ChangeReceipt:
    conversation, message = held.conversation, held.message
    if message.original_digest is None:  # By it a retry of the first sending is recognised.
        message.original_digest = policies.digest(message.body)
    conversation.revision += 1
    conversation.save(update_fields=["revision"])
    message.body, message.revision = body, conversation.revision
    message.save(update_fields=["body", "revision", "original_digest", "edited_at", "deleted_at"])
    note_changes([conversation.pk])
    event = message_event(
        to_record(message, {member.pk: member for member in held.members}),
        groups=groups_of(held.members),
        origin=held.origin,
        type="message_changed",
    )
    publish_on_commit([event])
    return _receipt(message)


def _receipt(message: Message, *, duplicate: bool = False) -> ChangeReceipt:
    return ChangeReceipt(
        conversation_id=message.conversation_id,
        id=message.pk,
        sequence=message.sequence,
        revision=message.revision,
        created_at=message.created_at,
        duplicate=duplicate,
    )
