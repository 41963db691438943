"""Hearing that somebody's session may have ended, and looking at once instead of at the next beat.

The hint says whose sessions to look at and nothing else: the database decides, once for all that
came within a moment. Whoever misses the hint has the heartbeat.
"""

import asyncio
import logging
from typing import Any

from messaging import runtime
from messaging.events import SESSIONS_GROUP, Event
from messaging.heartbeat import current_heartbeat
from messaging.hub import current_hub

logger = logging.getLogger(__name__)

# A log-out says so a moment before its session is gone, and a bulk end comes as many hints.
GATHER_SECONDS = 0.1


class SessionWatch:
    """Of one event loop. In the hub it is a member like a connection of no single conversation."""

    conversation_id = None

    def __init__(self) -> None:
        self._people: set[Any] = set()
        self._checking: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        """Before a connection is admitted, so that what ends its session from then on is heard."""
        await current_hub().group_add(SESSIONS_GROUP, self)

    def post(self, event: Event) -> None:
        self._people.add(event["user"])
        if self._checking is None or self._checking.done():
            self._checking = runtime.spawn(self._check())

    async def _check(self) -> None:
        while self._people:
            await asyncio.sleep(GATHER_SECONDS)
            people, self._people = self._people, set()
            try:
                await current_heartbeat().check_sessions(people)
            except Exception as error:  # The heartbeat will look again.
                logger.warning("Sessions could not be checked: %s", type(error).__name__)


_watches: runtime.LoopLocal[SessionWatch] = runtime.LoopLocal(SessionWatch)


def current_session_watch() -> SessionWatch:
    return _watches.get()
