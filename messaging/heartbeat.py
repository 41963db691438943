"""The check that heals whatever the channel layer lost.

Once per interval and process: one query brings the heads and read positions of every conversation
open here, one the blocks between its people, one the inboxes, two the sessions and names.
Each connection compares and reads what it missed.
"""

import asyncio
import logging
from collections.abc import Callable, Container
from dataclasses import replace
from typing import Any, Protocol

from messaging import conf, metrics, presence, runtime
from messaging.attendance import current_attendance
from messaging.events import public_id
from messaging.hub import current_hub
from messaging.selectors import connections as selectors
from messaging.selectors.blocks import find_all_hidden
from messaging.selectors.connections import Person

logger = logging.getLogger(__name__)


class Beating(Protocol):
    """A connection as the heartbeat knows it."""

    person: Person
    conversation_id: Any
    other_ids: list[Any]

    def post(self, event: Any) -> None: ...


class Heartbeat:
    """Of one event loop. Runs while somebody is connected."""

    def __init__(self) -> None:
        self._connections: dict[Beating, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._is_due = False
        self._soon = asyncio.Event()

    def add(self, connection: Beating) -> None:
        self._connections[connection] = None
        if self._task is None or self._task.done():
            current_hub().on_subscribed = [self._soon.set]
            self._task = runtime.spawn(self._run())

    def discard(self, connection: Beating) -> None:
        self._connections.pop(connection, None)

    @property
    def count(self) -> int:
        return len(self._connections)

    @property
    def connections(self) -> list[Beating]:
        return list(self._connections)

    async def _run(self) -> None:
        while True:
            # At once when the layer came back: what was published meanwhile is lost.
            await runtime.wait_for(self._soon, conf.heartbeat_seconds())
            self._soon.clear()
            if not self._connections:
                continue
            # Beside it: presence would lapse while a slow database is waited for.
            self._is_due = True
            if self._checking is None or self._checking.done():
                self._checking = runtime.spawn(self._check_database())
            await self._try(self._check_presence)

    async def _check_database(self) -> None:
        while self._is_due:
            self._is_due = False
            for check in (self.check_sessions, self._check_rooms, self._check_inboxes):
                await self._try(check)

    async def _try(self, check: Callable[[], Any]) -> None:
        try:
            await check()
        except Exception as error:
            logger.warning("A heartbeat check failed: %s", type(error).__name__)

    async def check_sessions(self, user_ids: Container[Any] | None = None) -> None:
        """End the connections whose session no longer lives, and have the others write under their
        person's name of now: of these people (by their public ids), or of everybody."""
        people = {
            (c.person.id, c.person.stamp)
            for c in self._connections
            if user_ids is None or public_id(c.person.id) in user_ids
        }
        if not people:
            return
        found = await runtime.in_database(selectors.read_standing, people)
        for connection in self.connections:
            person = connection.person
            if (person.id, person.stamp.key) in found.ended:
                connection.post({"type": "session_ended"})
            elif found.names.get(person.id, person.name) != person.name:
                connection.person = replace(person, name=found.names[person.id])

    async def _check_rooms(self) -> None:
        rooms = [c for c in self.connections if c.conversation_id is not None]
        if not rooms:
            return
        states = await runtime.in_database(
            selectors.read_room_states, {c.conversation_id for c in rooms}
        )
        people = {user_id for state in states.values() for user_id in state.read_sequences}
        hidden = await runtime.in_database(find_all_hidden, people) if len(people) > 1 else {}
        for connection in rooms:
            state = states.get(connection.conversation_id)
            if state is None or connection.person.id not in state.read_sequences:
                connection.post({"type": "removed"})
            else:
                apart = hidden.get(connection.person.id, set())
                connection.post({"type": "beat", "state": state, "hidden": apart})

    async def _check_inboxes(self) -> None:
        inboxes = [c for c in self.connections if c.conversation_id is None]
        if not inboxes:
            return
        found = await runtime.in_database(selectors.read_inboxes, {c.person.id for c in inboxes})
        for connection in inboxes:
            connection.post({"type": "beat", "state": found[connection.person.id]})

    async def _check_presence(self) -> None:
        here = set(current_attendance().people)
        watched = {public_id(user_id) for c in self._connections for user_id in c.other_ids}
        found = await runtime.in_cache(presence.ask_online, here | watched) if watched else None
        # In this order, so that of nobody who has just come it is unknown when they were here.
        last_seen = await runtime.in_cache(presence.find_last_seen, watched)
        if found is not None:  # Else the cache is away: nobody is offline because of that.
            self._tell_presence(here, watched, found, last_seen)
        # Not as they were before it was waited for.
        await runtime.in_cache(presence.mark_online, current_attendance().people)

    def _tell_presence(
        self, here: set[Any], watched: set[Any], found: set[Any], last_seen: dict[Any, str]
    ) -> None:
        # Where half of those who are here were missing, the cache was emptied, and other processes
        # have still to say whom they have: until the next beat nobody is offline.
        was_emptied = 2 * len(here & found) <= len(here)
        checked = {
            "type": "presence_checked",
            "online": here | found,
            "gone": set() if was_emptied else watched - here - found,
            "last_seen": last_seen,
        }
        for connection in self.connections:
            if connection.other_ids:
                connection.post(checked)


_heartbeats: runtime.LoopLocal[Heartbeat] = runtime.LoopLocal(Heartbeat)


def _count_connections() -> dict[tuple[str, ...], float]:
    counts: dict[tuple[str, ...], float] = {("room",): 0, ("inbox",): 0}
    for heartbeat in _heartbeats.all():
        for connection in heartbeat.connections:
            counts[("inbox" if connection.conversation_id is None else "room",)] += 1
    return counts


metrics.CONNECTIONS.read = _count_connections


def current_heartbeat() -> Heartbeat:
    return _heartbeats.get()
