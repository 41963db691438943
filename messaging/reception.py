"""What connections ask when they come, open and come back: of many at once together."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from messaging import presence, runtime
from messaging.authentication import reads_together
from messaging.events import UserId
from messaging.gathering import Answer, Gathering, Question
from messaging.selectors import entering
from messaging.selectors.connections import Inbox, Person
from messaging.selectors.entering import Room, Seen


class Reception:
    """Of one event loop."""

    def __init__(self) -> None:
        self._people = Gathering(_admit_people)
        self._members = Gathering(_admit_to_rooms)
        self._rooms = Gathering(_enter_rooms)
        self._inboxes = Gathering(_enter_inboxes)
        self._seen = Gathering(_find_all)
        self._here = Gathering(_mark_online)

    async def admit_person(self, session_key: str) -> Person | None:
        return await _choose(self._people, _admit_people, session_key)

    async def admit_to_room(
        self, session_key: str, conversation_id: UUID
    ) -> tuple[Person, str] | None:
        """The person and their role, or None without a reason."""
        return await _choose(self._members, _admit_to_rooms, (session_key, conversation_id))

    async def enter_room(self, person: Person, conversation_id: UUID) -> Room:
        """Raises Unauthenticated, NotFound."""
        return await self._rooms.ask((person, conversation_id))

    async def with_presence(self, person: Person, room: Room) -> Room:
        """As `entering.with_presence`."""
        found = await self._seen.ask([person.id, *room.other_ids])
        return entering.with_presence(person, room, found)

    async def enter_inbox(self, person: Person) -> Inbox:
        """Raises Unauthenticated."""
        return await self._inboxes.ask(person)

    async def mark_online(self, user: UserId) -> None:
        await self._here.ask(user)


async def _choose(
    gathering: Gathering[Question, Answer],
    read: Callable[[Sequence[Question]], Awaitable[Sequence[Answer | Exception]]],
    question: Question,
) -> Answer:
    """Where sessions are read one at a time, many together would wait for the slowest of them, in
    one thread."""
    if reads_together():
        return await gathering.ask(question)
    (answer,) = await read([question])
    if isinstance(answer, Exception):
        raise answer
    return answer


async def _admit_people(keys: Sequence[str]) -> Sequence[Person | Exception | None]:
    return await runtime.in_database(entering.admit_people, keys)


async def _admit_to_rooms(
    asked: Sequence[tuple[str, UUID]],
) -> Sequence[tuple[Person, str] | Exception | None]:
    return await runtime.in_database(entering.admit_to_rooms, asked)


async def _enter_rooms(asked: Sequence[tuple[Person, UUID]]) -> Sequence[Room | Exception]:
    return await runtime.in_database(entering.enter_rooms, asked)


async def _enter_inboxes(people: Sequence[Person]) -> Sequence[Inbox | Exception]:
    return await runtime.in_database(entering.enter_inboxes, people)


async def _find_all(asked: Sequence[Sequence[UserId]]) -> Sequence[Mapping[UserId, Seen]]:
    """Everybody is given the same: each looks up their own people in it."""
    people = {user_id for each in asked for user_id in each}
    return [await runtime.in_cache(presence.find_all, people)] * len(asked)


async def _mark_online(people: Sequence[UserId]) -> Sequence[None]:
    await runtime.in_cache(presence.mark_online, set(people))
    return [None] * len(people)


_receptions: runtime.LoopLocal[Reception] = runtime.LoopLocal(Reception)


def current_reception() -> Reception:
    return _receptions.get()
