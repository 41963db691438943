"""Blocking somebody: from the moment it is answered, neither of the two writes to the other."""

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.db import Error as DatabaseError
from django.db import transaction

from messaging import rate_limits
from messaging.events import UserId, blocks_event
from messaging.exceptions import NotFound, Unavailable
from messaging.models import Block, Conversation
from messaging.selectors.blocks import share_conversation
from messaging.services.holding import require_session
from messaging.services.messages import publish_on_commit
from messaging.sessions import SessionStamp
from notifications import failpoints


def block_person(*, user_id: UserId, other_id: UserId, session: SessionStamp | None = None) -> None:
    """Block somebody with whom one has a conversation; to block twice changes nothing.

    Raises NotFound for everybody else, who look like nobody, RateLimited, Unavailable, and
    Unauthenticated when the `session` has ended. To try it with nobody counts as a block does.
    """
    if Block.objects.filter(blocker_id=user_id, blocked_id=other_id).exists():
        return
    release = rate_limits.take_block(user_id)
    counts = False
    try:
        with transaction.atomic():
            counts = _block(user_id, other_id, session)
        failpoints.reach("blocks.blocked")
    except DatabaseError as error:
        raise Unavailable() from error
    except NotFound:
        counts = True
        raise
    finally:
        if not counts:
            release()


def _block(user_id: UserId, other_id: UserId, session: SessionStamp | None) -> bool:
    if not share_conversation(user_id, other_id):  # Strangers hold nobody's row.
        raise NotFound()
    _lock_people(user_id, other_id)
    require_session(user_id, session)
    if not share_conversation(user_id, other_id):
        raise NotFound()
    _lock_conversations(user_id, other_id)
    _, created = Block.objects.get_or_create(blocker_id=user_id, blocked_id=other_id)
    if created:
        publish_on_commit([blocks_event(user_id=user_id, other_id=other_id)])
    return created


def _lock_people(*user_ids: UserId) -> None:
    """Who opens a conversation holds their own row: a block waits for it and is seen by the next.

    People come before conversations, as they do there.
    """
    people = get_user_model()._default_manager.select_for_update(no_key=True)
    _run(people.filter(pk__in=user_ids).order_by("pk").values_list("pk"))


def _lock_conversations(user_id: UserId, other_id: UserId) -> None:
    """Whatever `record` is storing between the two is stored before the block is answered, and
    what comes later sees it."""
    shared = Conversation.objects.filter(participants__user_id=user_id).filter(
        participants__user_id=other_id
    )
    rows = Conversation.objects.select_for_update(no_key=True).filter(pk__in=shared.values("pk"))
    _run(rows.order_by("pk").values_list("pk"))


def _run(rows: Iterable[object]) -> None:
    list(rows)


def unblock_person(
    *, user_id: UserId, other_id: UserId, session: SessionStamp | None = None
) -> None:
    """Take a block back. Always works, whoever it is. Raises Unavailable, Unauthenticated."""
    try:
        with transaction.atomic():
            require_session(user_id, session)
            deleted, _ = Block.objects.filter(blocker_id=user_id, blocked_id=other_id).delete()
            if deleted:
                publish_on_commit([blocks_event(user_id=user_id, other_id=other_id)])
        failpoints.reach("blocks.unblocked")
    except DatabaseError as error:
        raise Unavailable() from error
