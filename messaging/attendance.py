"""Who is connected to this process, and telling others when somebody comes or goes.

A person is offline only after 5 s without a socket anywhere. This process sees its own sockets; the
others are asked over the bus, and whoever still has one of that person's answers.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from messaging import presence, runtime
from messaging.events import Event, presence_event, presence_group
from messaging.hub import current_hub
from messaging.reception import current_reception

GRACE_SECONDS = 5.0
ANSWER_SECONDS = 1.0
CONNECTIONS_PER_PERSON = 20
ROLL_CALL = "presence"


class Attendance:
    """Of one event loop. People are known by their public id."""

    conversation_id = None  # On the bus it is like a connection of no single conversation.

    def __init__(self) -> None:
        self._connections: dict[Any, dict[Any, None]] = {}
        self._leaving: dict[Any, asyncio.Task[None]] = {}
        self._asking: dict[Any, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._listening = False

    @property
    def people(self) -> list[Any]:
        return list(self._connections)

    def enter(self, user: Any, connection: Any) -> Any | None:
        """Count a connection in. Gives the person's oldest one if that is now one too many."""
        self._listen()
        own = self._connections.setdefault(user, {})
        own[connection] = None
        leaving = self._leaving.pop(user, None)
        if leaving is not None:
            leaving.cancel()
            # A heartbeat in between has renewed nothing of theirs.
            self._start(current_reception().mark_online(user))
        elif len(own) == 1:
            self._start(self._announce(user))
        if len(own) <= CONNECTIONS_PER_PERSON:
            return None
        # Off the list at once: the next one too many must not push out the same one again.
        oldest = next(iter(own))
        del own[oldest]
        return oldest

    def leave(self, user: Any, connection: Any) -> None:
        own = self._connections.get(user)
        if own is None or connection not in own:
            return
        del own[connection]
        if not own:
            del self._connections[user]
            self._leaving[user] = runtime.spawn(self._go_offline(user))

    def post(self, event: Event) -> None:
        """From the bus: somebody asks whether a person is still here, or says that they are."""
        user = event["user"]
        if event["type"] == "presence_question":
            if user in self._connections:
                self._start(self._announce(user))
        elif user in self._asking and event["online"]:
            self._asking[user].set()

    def _listen(self) -> None:
        if not self._listening:
            self._listening = True
            self._start(current_hub().group_add(ROLL_CALL, self))

    async def _announce(self, user: Any) -> None:
        await current_reception().mark_online(user)
        if user in self._connections:
            current_hub().publish([_announcement(user, online=True)])

    async def _go_offline(self, user: Any) -> None:
        await asyncio.sleep(GRACE_SECONDS)
        elsewhere = await self._is_elsewhere(user)
        self._leaving.pop(user, None)
        if elsewhere:
            return
        await runtime.in_cache(presence.mark_offline, user)
        if user in self._connections:  # Back in this very moment: the mark may be gone.
            await self._announce(user)
        else:
            current_hub().publish([_announcement(user, online=False)])

    async def _is_elsewhere(self, user: Any) -> bool:
        """Ask the other processes whether they have a socket of this person."""
        answered = self._asking[user] = asyncio.Event()
        try:
            current_hub().publish([_question(user)])
            return await runtime.wait_for(answered, ANSWER_SECONDS)
        finally:
            del self._asking[user]

    def _start(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = runtime.spawn(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _announcement(user: Any, *, online: bool) -> Event:
    event = presence_event(user_id=user, online=online, last_seen=presence.today())
    event["groups"] = [presence_group(user), ROLL_CALL]
    return event


def _question(user: Any) -> Event:
    event = _announcement(user, online=True)
    event["type"] = "presence_question"
    event["groups"] = [ROLL_CALL]
    return event


_attendances: runtime.LoopLocal[Attendance] = runtime.LoopLocal(Attendance)


def current_attendance() -> Attendance:
    return _attendances.get()
