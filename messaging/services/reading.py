"""Read positions: they move forward, and the unread count with them."""

from uuid import UUID

from django.db import transaction
from django.db.models import Count, Expression, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from messaging.events import UserId, groups_of, read_event
from messaging.exceptions import NotFound
from messaging.models import Conversation, Message, Participant
from messaging.selectors.connections import check_session
from messaging.services.attempts import attempt
from messaging.services.holding import hold_sessions
from messaging.services.inbox_rows import ONE_CHANGE
from messaging.services.messages import publish_on_commit
from messaging.sessions import SessionStamp
from notifications import failpoints


def mark_read(
    *,
    user_id: UserId,
    conversation_id: UUID,
    sequence: int,
    session: SessionStamp | None = None,
    origin: str = "",
) -> int:
    """Move a person's read position forward to `sequence`, or to the head if that is less, and
    tell everybody in the conversation. Gives the position.

    Raises NotFound, Unavailable, and Unauthenticated when the `session` has ended.
    """
    position = attempt(lambda: _move_if_new(user_id, conversation_id, sequence, session, origin))
    failpoints.reach("reading.committed")
    return position


def _move_if_new(
    user_id: UserId,
    conversation_id: UUID,
    sequence: int,
    session: SessionStamp | None,
    origin: str,
) -> int:
    """Nothing is held where nothing changes: who says again what is known waits for nobody."""
    mine = Participant.objects.filter(
        user_id=user_id, conversation_id=conversation_id, left_at__isnull=True
    )
    found = mine.values_list("read_sequence", "conversation__last_sequence").first()
    if found is not None and min(sequence, found[1]) > found[0]:
        return _move(user_id, conversation_id, sequence, session, origin)
    if session is not None:
        check_session(user_id, session)
    if found is None:
        raise NotFound()
    return int(found[0])


@transaction.atomic
def _move(
    user_id: UserId,
    conversation_id: UUID,
    sequence: int,
    session: SessionStamp | None,
    origin: str,
) -> int:
    hold_sessions([(user_id, session)])
    # The conversation first: a message that is being stored right now must be counted or not,
    # and a count taken beside it would be written over the one that `record` writes.
    conversation = (
        Conversation.objects.select_for_update(no_key=True).filter(pk=conversation_id).first()
    )
    if session is not None:
        check_session(user_id, session)
    members = list(Participant.objects.filter(conversation_id=conversation_id).order_by("pk"))
    me = next((member for member in members if member.user_id == user_id), None)
    if conversation is None or me is None or me.left_at is not None:
        raise NotFound()
    position = min(sequence, conversation.last_sequence)
    if position <= me.read_sequence:
        return me.read_sequence
    Participant.objects.filter(pk=me.pk).update(
        read_sequence=position, unread_count=_unread_after(me, position), **ONE_CHANGE
    )
    event = read_event(
        conversation_id=conversation_id,
        user_id=user_id,
        sequence=position,
        groups=groups_of(members),
        origin=origin,
    )
    publish_on_commit([event])
    return position


def count_unread(member: Participant, position: int) -> int:
    """Others' messages after a position. One's own and system messages never count."""
    return _others_messages(member, position).count()


def _unread_after(member: Participant, position: int) -> Expression:
    """The same, counted by the statement that it is written with."""
    rows = _others_messages(member, position).order_by().values("conversation_id")
    return Coalesce(Subquery(rows.annotate(count=Count("pk")).values("count")), 0)


def _others_messages(member: Participant, position: int) -> QuerySet[Message]:
    return (
        Message.objects.filter(
            conversation_id=member.conversation_id, sequence__gt=position, deleted_at__isnull=True
        )
        .exclude(kind=Message.Kind.SYSTEM)
        .filter(Q(sender__isnull=True) | ~Q(sender_id=member.pk))
    )
