"""What a socket needs to know of the database: at the handshake, and with every heartbeat."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Count, Q, QuerySet, Sum

from messaging import presence, sessions
from messaging.events import Frame, UserId, groups_of, public_id
from messaging.exceptions import NotFound, Unauthenticated
from messaging.models import Participant
from messaging.people import display_name, shown_name
from messaging.selectors.blocks import find_hidden
from messaging.selectors.conversations import Access, access_conversation
from messaging.selectors.messages import Changes, changes_after
from messaging.sessions import SessionStamp


@dataclass(frozen=True, slots=True)
class Person:
    """Who a socket belongs to."""

    user: Any
    id: UserId
    name: str
    stamp: SessionStamp
    language: str


@dataclass(frozen=True, slots=True)
class Room:
    """A conversation as a socket sees it when it opens or resumes."""

    conversation_id: UUID
    revision: int
    last_sequence: int
    role: str
    read_sequence: int
    participants: list[Frame]
    # Those who may know of each other whether they are here, or typing: nobody blocks the other.
    other_ids: list[UserId]


def admit_person(session_key: str) -> Person | None:
    """The person behind a session, or None."""
    found = sessions.authenticate_session(session_key)
    if found is None:
        return None
    user, stamp = found
    return Person(
        user=user,
        id=user.pk,
        name=display_name(user),
        stamp=stamp,
        language=str(getattr(user, "locale", "") or ""),
    )


def admit_to_room(session_key: str, conversation_id: UUID) -> tuple[Person, str] | None:
    """The person and their role in the conversation, or None without a reason. What else there is
    to know is read after the connection has joined its groups."""
    person = admit_person(session_key)
    if person is None:
        return None
    place = _own_place(person.id, conversation_id).values_list("role", flat=True).first()
    return None if place is None else (person, place)


def _own_place(user_id: UserId, conversation_id: UUID) -> QuerySet[Participant]:
    return Participant.objects.filter(
        conversation_id=conversation_id, user_id=user_id, left_at__isnull=True
    )


def enter_room(person: Person, conversation_id: UUID) -> Room:
    """For a connection that has joined its groups: what ended while it was being admitted is
    found here. Two queries; who is here it leaves to `with_presence`.

    Raises Unauthenticated, NotFound.
    """
    access, hidden = _look_around(person, conversation_id)
    told = _told(access, hidden)
    return Room(
        conversation_id=access.conversation.pk,
        revision=access.conversation.revision,
        last_sequence=access.conversation.last_sequence,
        role=access.me.role,
        read_sequence=access.me.read_sequence,
        participants=_participants(access),
        other_ids=[member.user_id for member in told if member.user_id is not None],
    )


def find_who_is_told(person: Person, conversation_id: UUID) -> list[str]:
    """The groups of those who may know that this person is typing. Two queries.

    Raises Unauthenticated, NotFound.
    """
    return groups_of(_told(*_look_around(person, conversation_id)))


def _look_around(person: Person, conversation_id: UUID) -> tuple[Access, set[UserId]]:
    """Who is in the conversation, and who of them is not told about this person."""
    alive = sessions.is_alive(person.stamp.key)
    access = access_conversation(user=person.user, conversation_id=conversation_id, alive=alive)
    _require_valid(person.stamp, access.alive, access.me.user)
    others = [member.user_id for member in access.others if member.left_at is None]
    return access, find_hidden(person.id, others)


def _told(access: Access, hidden: set[UserId]) -> list[Participant]:
    others = [member for member in access.others if member.left_at is None]
    return [member for member in others if member.user_id not in hidden]


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


def _participants(access: Access) -> list[Frame]:
    return [
        {
            "id": public_id(member.user_id),
            "username": shown_name(member),
            "role": member.role,
            "read_sequence": member.read_sequence,
            "online": False,
            "last_seen": None,
        }
        for member in access.members
        if member.left_at is None
    ]


def with_presence(person: Person, room: Room) -> Room:
    """The same room with who of its people is here. Asks the cache alone. A connection that is
    told who comes and goes asks once it is: who comes in between is found here or told there."""
    found = presence.find_all([person.id, *room.other_ids])
    known = {public_id(user_id): each for user_id, each in found.items()}
    unknown = (False, None)
    participants = [
        {**member, "online": online, "last_seen": seen}
        for member in room.participants
        for online, seen in [known.get(member["id"], unknown)]
    ]
    return replace(room, participants=participants)


@dataclass(frozen=True, slots=True)
class Inbox:
    unread: int
    cursor: str


def enter_inbox(person: Person) -> Inbox:
    """As `enter_room`. Raises Unauthenticated."""
    check_session(person.id, person.stamp)
    return read_inboxes([person.id])[person.id]


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
    alive = sessions.find_alive({stamp.key for _, stamp in wanted})
    users = get_user_model()._default_manager.filter(is_active=True)
    active = users.in_bulk({user_id for user_id, _ in wanted})
    ended = {
        (user_id, stamp.key)
        for user_id, stamp in wanted
        if user_id not in active
        or not sessions.is_valid(stamp, alive=alive, password=active[user_id].password)
    }
    return Standing(ended, {user_id: display_name(user) for user_id, user in active.items()})
