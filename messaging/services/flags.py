"""A person's own marks on a conversation: archived, starred, muted. Nobody else sees them."""

from uuid import UUID

from django.db import Error as DatabaseError
from django.db import transaction

from messaging.events import UserId, place_event
from messaging.exceptions import NotFound, Unavailable
from messaging.models import Participant
from messaging.selectors.connections import check_session
from messaging.services.holding import require_session
from messaging.services.inbox_rows import ONE_CHANGE
from messaging.services.messages import publish_on_commit
from messaging.sessions import SessionStamp
from notifications import failpoints


def archive_conversation(
    *, user_id: UserId, conversation_id: UUID, on: bool, session: SessionStamp | None = None
) -> Participant:
    """Put a conversation away until the other side writes again, or bring it back."""
    return _mark(user_id, conversation_id, session, archived=on)


def star_conversation(
    *, user_id: UserId, conversation_id: UUID, on: bool, session: SessionStamp | None = None
) -> Participant:
    return _mark(user_id, conversation_id, session, starred=on)


def mute_conversation(
    *, user_id: UserId, conversation_id: UUID, on: bool, session: SessionStamp | None = None
) -> Participant:
    """A muted conversation is shown as ever, and notifies nobody."""
    return _mark(user_id, conversation_id, session, muted=on)


def _mark(
    user_id: UserId, conversation_id: UUID, session: SessionStamp | None, **marks: bool
) -> Participant:
    """The person's place as it is now. Raises NotFound, Unavailable, and Unauthenticated when the
    `session` has ended.

    One row and one statement: `record`, which un-archives, holds the row while it does. Nothing is
    held where nothing changes.
    """
    mine = Participant.objects.filter(
        user_id=user_id, conversation_id=conversation_id, left_at__isnull=True
    )
    try:
        if place := mine.filter(**marks).first():
            return _as_it_is(place, session)
        with transaction.atomic():
            require_session(user_id, session)
            changed = mine.exclude(**marks).update(**marks, **ONE_CHANGE)
            place = mine.first()
            if place is None:
                raise NotFound()
            if changed:
                publish_on_commit([place_event(place)])
    except DatabaseError as error:
        raise Unavailable() from error
    failpoints.reach("flags.committed")
    return place


def _as_it_is(place: Participant, session: SessionStamp | None) -> Participant:
    if session is not None:
        check_session(place.user_id, session)
    return place
