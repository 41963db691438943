"""What a socket needs to know of the database while it is open, and with every heartbeat."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Count, Q, QuerySet, Sum

from messaging import sessions
from messaging.events import UserId
from messaging.exceptions import NotFound, Unauthenticated
from messaging.models import Participant
from messaging.people import display_name
from messaging.selectors.messages import Changes, changes_after
from messaging.sessions import SessionStamp


@dataclass(frozen=True, slots=True)
class Person:
    """Who a socket belongs to."""

    id: UserId
    name: str
    stamp: SessionStamp
    language: str


def _own_place(user_id: UserId, conversation_id: UUID) -> QuerySet[Participant]:
    return Participant.objects.filter(
        conversation_id=conversation_id, user_id=user_id, left_at__isnull=True
    )


def _require_valid(stamp: SessionStamp, alive: bool, user: Any) -> None:
    """Raises Unauthenticated. `user`: as they are in the database now."""
    keys = {stamp.key} if alive else set()
    if not user.is_active or not sessions.is_valid(stamp, alive=keys, password=user.password):
        raise Unauthenticated()


def read_changes(person: Person, conversation_id: UUID, after: int) -> Changes:
    """A page of a conversation's changes for somebody who takes part in it and is signed in. That
    is asked after the page is read: what was stored after their end is in no page they get.

    Raises Unauthenticated, NotFound.
    """
    changes = changes_after(conversation_id, after)
    place = (
        _own_place(person.id, conversation_id)
        .select_related("user")
        .annotate(alive=sessions.is_alive(person.stamp.key))
        .first()
    )
    if place is None:
        raise NotFound()
    _require_valid(person.stamp, place.alive, place.user)
    return changes


@dataclass(frozen=True, slots=True)
class Inbox:
    unread: int
    cursor: str


def read_inboxes(user_ids: Iterable[UserId]) -> dict[UserId, Inbox]:
    """Unread conversations and a cursor that moves with whatever changes in a line of the inbox,
    one query for all. Places that were left are in it: a sum that only grows never comes back to
    what it was."""
    rows = (
        Participant.objects.filter(user_id__in=set(user_ids))
        .values("user_id")
        .annotate(
            places=Count("pk"),
            changes=Sum("changes"),
            unread=Count("pk", filter=Q(unread_count__gt=0, archived=False)),
        )
        .values_list("user_id", "places", "changes", "unread")
    )
    found = {
        user_id: Inbox(unread=unread, cursor=f"{places}-{changes}")
        for user_id, places, changes, unread in rows
    }
    return {user_id: found.get(user_id, Inbox(0, "0")) for user_id in user_ids}


@dataclass(frozen=True, slots=True)
class RoomState:
    """What a heartbeat checks of one conversation: the head, and who has read how far."""

    revision: int
    read_sequences: dict[UserId, int]


def read_room_states(conversation_ids: Iterable[UUID]) -> dict[UUID, RoomState]:
    """One query for all conversations open in this process. People who left are not in it."""
    rows = Participant.objects.filter(
        conversation_id__in=set(conversation_ids), left_at__isnull=True, user__isnull=False
    ).values_list("conversation_id", "conversation__revision", "user_id", "read_sequence")
    states: dict[UUID, RoomState] = {}
    for conversation_id, revision, user_id, read_sequence in rows:
        state = states.setdefault(conversation_id, RoomState(revision, {}))
        state.read_sequences[user_id] = read_sequence
    return states


def check_session(user_id: UserId, stamp: SessionStamp) -> None:
    """Raises Unauthenticated unless session, password and account are still valid. One query."""
    people = get_user_model()._default_manager.filter(pk=user_id)
    user = people.annotate(session_alive=sessions.is_alive(stamp.key)).first()
    if user is None:
        raise Unauthenticated()
    _require_valid(stamp, user.session_alive, user)


@dataclass(frozen=True, slots=True)
class Standing:
    """Those (user, session key) pairs whose session, password or account is no longer valid, and
    what the people are called now."""

    ended: set[tuple[UserId, str]]
    names: dict[UserId, str]


def read_standing(people: Iterable[tuple[UserId, SessionStamp]]) -> Standing:
    """Two queries for everybody who is connected."""
    wanted = list(people)
    ended, active = _look_at_people(wanted)
    return Standing(ended, {user_id: display_name(user) for user_id, user in active.items()})


def find_ended(people: Iterable[tuple[UserId, SessionStamp]]) -> set[tuple[UserId, str]]:
    """`Standing.ended` alone."""
    return _look_at_people(list(people))[0]


def _look_at_people(
    people: Sequence[tuple[UserId, SessionStamp]],
) -> tuple[set[tuple[UserId, str]], dict[UserId, Any]]:
    alive = sessions.find_alive({stamp.key for _, stamp in people})
    users = get_user_model()._default_manager.filter(is_active=True)
    active = users.in_bulk({user_id for user_id, _ in people})
    ended = {
        (user_id, stamp.key)
        for user_id, stamp in people
        if user_id not in active
        or not sessions.is_valid(stamp, alive=alive, password=active[user_id].password)
    }
    return ended, active
