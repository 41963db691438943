"""What a socket asks at the handshake and when it opens or resumes, for many sockets at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q

from messaging.authentication import authenticate_sessions
from messaging.events import Frame, UserId, public_id, role_group
from messaging.exceptions import NotFound, Unauthenticated
from messaging.gathering import outcome_of
from messaging.models import Participant
from messaging.people import FORMER_MEMBER, display_name
from messaging.selectors.blocks import find_all_hidden
from messaging.selectors.connections import Inbox, Person, find_ended, read_inboxes
from messaging.sessions import SessionStamp

Seen = tuple[bool, str | None]  # Whether somebody is here, and the day they last were.


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

    @property
    def other_groups(self) -> list[str]:
        told = {public_id(user_id) for user_id in self.other_ids}
        return [role_group(p["role"], p["id"]) for p in self.participants if p["id"] in told]


class Place(NamedTuple):
    """Of one participant, with the head of the conversation."""

    conversation_id: UUID
    revision: int
    last_sequence: int
    user_id: UserId
    role: str
    name: str
    read_sequence: int


COLUMNS = (
    *("conversation_id", "conversation__revision", "conversation__last_sequence"),
    *("user_id", "role", "name", "read_sequence"),
)


def admit_people(keys: Sequence[str]) -> list[Person | Exception | None]:
    """The person behind each session, or None."""
    found = authenticate_sessions(keys)
    people = {key: outcome_of(_make_person, each) for key, each in found.items()}
    return [people.get(key) for key in keys]


def _make_person(found: tuple[Any, SessionStamp] | Exception) -> Person:
    if isinstance(found, Exception):
        raise found
    user, stamp = found
    return Person(
        id=user.pk,
        name=display_name(user),
        stamp=stamp,
        language=str(getattr(user, "locale", "") or ""),
    )


def admit_to_rooms(
    asked: Sequence[tuple[str, UUID]],
) -> list[tuple[Person, str] | Exception | None]:
    """Of each session and conversation: the person and their role there, or None without a reason.
    What else there is to know is read after the connection has joined its groups."""
    people = admit_people([key for key, _ in asked])
    wanted = {
        (person.id, conversation_id)
        for person, (_, conversation_id) in zip(people, asked, strict=True)
        if isinstance(person, Person)
    }
    roles = _find_roles(wanted) if wanted else {}
    return [
        _with_role(person, roles.get((person.id, conversation_id)))
        if isinstance(person, Person)
        else person
        for person, (_, conversation_id) in zip(people, asked, strict=True)
    ]


def _with_role(person: Person, role: str | None) -> tuple[Person, str] | None:
    return None if role is None else (person, role)


def _find_roles(wanted: set[tuple[UserId, UUID]]) -> dict[tuple[UserId, UUID], str]:
    """Of more than is wanted, perhaps: each person in each of the conversations."""
    own = Q(user_id__in={user_id for user_id, _ in wanted})
    there = Q(conversation_id__in={conversation_id for _, conversation_id in wanted})
    rows = Participant.objects.filter(own, there, left_at__isnull=True)
    found = rows.values_list("user_id", "conversation_id", "role")
    return {(user_id, conversation_id): role for user_id, conversation_id, role in found}


def enter_rooms(asked: Sequence[tuple[Person, UUID]]) -> list[Room | Exception]:
    """For connections that have joined their groups: what ended while they were being admitted is
    found here, Unauthenticated or NotFound among the answers. Four queries, and in the order of
    what matters most: whose session has ended is asked last. Who is here it leaves to
    `with_presence`."""
    places = _read_places({conversation_id for _, conversation_id in asked})
    hidden = find_all_hidden({place.user_id for members in places.values() for place in members})
    ended = find_ended({(person.id, person.stamp) for person, _ in asked})
    return [
        Unauthenticated()
        if (person.id, person.stamp.key) in ended
        else _make_room(person, places.get(conversation_id, []), hidden.get(person.id, set()))
        for person, conversation_id in asked
    ]


def _read_places(conversation_ids: Iterable[UUID]) -> dict[UUID, list[Place]]:
    rows = Participant.objects.filter(
        conversation_id__in=conversation_ids, left_at__isnull=True
    ).order_by("pk")
    found: dict[UUID, list[Place]] = {}
    for row in rows.values_list(*COLUMNS):
        found.setdefault(row[0], []).append(Place(*row))
    return found


def _make_room(person: Person, members: Sequence[Place], hidden: set[UserId]) -> Room | NotFound:
    me = next((place for place in members if place.user_id == person.id), None)
    if me is None:
        return NotFound()
    others = {place.user_id for place in members} - hidden - {person.id, None}
    return Room(
        conversation_id=me.conversation_id,
        revision=me.revision,
        last_sequence=me.last_sequence,
        role=me.role,
        read_sequence=me.read_sequence,
        participants=[_participant(place) for place in members],
        other_ids=[place.user_id for place in members if place.user_id in others],
    )


def _participant(place: Place) -> Frame:
    return {
        "id": public_id(place.user_id),
        "username": place.name,
        "role": place.role,
        "read_sequence": place.read_sequence,
        "online": False,
        "last_seen": None,
    }


def with_presence(person: Person, room: Room, found: Mapping[UserId, Seen]) -> Room:
    """The same room with who of its people is here, in the language of whoever reads it. A
    connection that is told who comes and goes looks once it is: who comes in between is found here
    or told there."""
    told = {public_id(user_id): found.get(user_id) for user_id in [person.id, *room.other_ids]}
    participants = []
    for member in room.participants:
        online, seen = told.get(member["id"]) or (False, None)
        name = member["username"] or str(FORMER_MEMBER)
        participants.append({**member, "username": name, "online": online, "last_seen": seen})
    return replace(room, participants=participants)


def enter_inboxes(people: Sequence[Person]) -> list[Inbox | Exception]:
    """As `enter_rooms`, with Unauthenticated among the answers."""
    inboxes = read_inboxes({person.id for person in people})
    ended = find_ended({(person.id, person.stamp) for person in people})
    return [
        Unauthenticated() if (person.id, person.stamp.key) in ended else inboxes[person.id]
        for person in people
    ]
