"""What a socket needs to know of the database: at the handshake, and with every heartbeat."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Count, Max, Q

from messaging import presence, sessions
from messaging.events import Frame, UserId, groups_of, public_id
from messaging.exceptions import NotFound, Unauthenticated
from messaging.models import Participant
from messaging.people import display_name, shown_name
from messaging.selectors.blocks import find_hidden
from messaging.selectors.conversations import Access, access_conversation
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
    other_groups: list[str]


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


def admit_to_room(session_key: str, conversation_id: UUID) -> tuple[Person, Room] | None:
    """The person and the conversation they take part in, or None without a reason."""
    person = admit_person(session_key)
    if person is None:
        return None
    try:
        return person, read_room(person.user, conversation_id)
    except NotFound:
        return None


def enter_room(person: Person, conversation_id: UUID) -> Room:
    """For a connection that has joined its groups: what ended while it was being admitted is
    found here. Raises Unauthenticated, NotFound."""
    check_session(person.id, person.stamp)
    return read_room(person.user, conversation_id)


def read_room(user: Any, conversation_id: UUID) -> Room:
    """Raises NotFound."""
    access = access_conversation(user=user, conversation_id=conversation_id)
    others = [member for member in access.others if member.left_at is None]
    hidden = find_hidden(user.pk, [member.user_id for member in others])
    told = [member for member in others if member.user_id not in hidden]
    return Room(
        conversation_id=access.conversation.pk,
        revision=access.conversation.revision,
        last_sequence=access.conversation.last_sequence,
        role=access.me.role,
        read_sequence=access.me.read_sequence,
        participants=_participants(access, hidden),
        other_ids=[member.user_id for member in told if member.user_id is not None],
        other_groups=groups_of(told),
    )


def _participants(access: Access, hidden: set[UserId]) -> list[Frame]:
    members = [member for member in access.members if member.left_at is None]
    ids = [member.user_id for member in members if member.user_id not in hidden]
    online, last_seen = presence.find_online(ids), presence.find_last_seen(ids)
    return [
        {
            "id": public_id(member.user_id),
            "username": shown_name(member),
            "role": member.role,
            "read_sequence": member.read_sequence,
            "online": member.user_id in online,
            "last_seen": last_seen.get(member.user_id),
        }
        for member in members
    ]


@dataclass(frozen=True, slots=True)
class Inbox:
    unread: int
    cursor: str


def enter_inbox(person: Person) -> Inbox:
    """As `enter_room`. Raises Unauthenticated."""
    check_session(person.id, person.stamp)
    return read_inboxes([person.id])[person.id]


def read_inboxes(user_ids: Iterable[UserId]) -> dict[UserId, Inbox]:
    """Unread conversations and a cursor that moves with the newest activity, with every
    conversation that comes or goes and with the person's marks, one query for all."""
    rows = (
        Participant.objects.filter(user_id__in=set(user_ids), left_at__isnull=True)
        .values("user_id")
        .annotate(
            newest=Max("last_activity_at"),
            unread=Count("pk", filter=Q(unread_count__gt=0, archived=False)),
            places=Count("pk"),
            put_away=Count("pk", filter=Q(archived=True)),
            with_star=Count("pk", filter=Q(starred=True)),
            silent=Count("pk", filter=Q(muted=True)),
        )
        .values_list("user_id", "newest", "unread", "places", "put_away", "with_star", "silent")
    )
    found = {
        user_id: Inbox(
            unread=unread,
            cursor="-".join(map(str, [f"{newest.timestamp():.6f}", unread, *counts])),
        )
        for user_id, newest, unread, *counts in rows
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
    """Raises Unauthenticated unless session, password and account are still valid."""
    if find_ended([(user_id, stamp)]):
        raise Unauthenticated()


def find_ended(people: Iterable[tuple[UserId, SessionStamp]]) -> set[tuple[UserId, str]]:
    """Those (user, session key) pairs whose session, password or account is no longer valid."""
    wanted = list(people)
    alive = sessions.find_alive({stamp.key for _, stamp in wanted})
    users = get_user_model()._default_manager.filter(pk__in={user_id for user_id, _ in wanted})
    passwords = dict(users.filter(is_active=True).values_list("pk", "password"))
    return {
        (user_id, stamp.key)
        for user_id, stamp in wanted
        if user_id not in passwords
        or not sessions.is_valid(stamp, alive=alive, password=passwords[user_id])
    }
