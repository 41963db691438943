"""What all tabs of a campaign share."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.faults.clients.answers import Answer
from tests.faults.clients.doors import Doors
from tests.faults.clients.people import Conversation, Person, Session
from tests.faults.history import History

# What staff do with who takes part: how, whom, in which conversation. RuntimeError when it is not
# known to be done.
ChangeParticipants = Callable[[str, int, str], Awaitable[None]]


@dataclass(eq=False)
class Scene:
    """`urls`: of the web processes, as people dial them, without a slash at the end."""

    history: History
    urls: list[str]
    seed: str
    doors: Doors
    people: list[Person] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    listings: list[tuple[str, Person]] = field(default_factory=list)
    change_participants: ChangeParticipants | None = None
    # Seconds between two operations of one tab, in the middle.
    pause: float = 1.0
    # The share of posts that are sent several times, at once and late (nemesis 14).
    doubled: float = 0.02
    # Nothing new is begun: what was begun is brought to its end.
    winding_down: bool = False
    # Seconds that a tab waits at least after an operation, in times of how long that took.
    patience: float = 3.0
    _side: set[asyncio.Task[None]] = field(default_factory=set)
    _failed: list[BaseException] = field(default_factory=list)

    def choose_web(self, random: Random) -> int:
        return random.randrange(len(self.urls)) + 1

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Beside what a tab does; waited for at the end. What goes wrong in it is kept."""
        task = asyncio.get_running_loop().create_task(work)
        self._side.add(task)
        task.add_done_callback(self._end_side_work)

    def _end_side_work(self, task: asyncio.Task[None]) -> None:
        self._side.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed.append(error)

    def check(self) -> None:
        """Raises the first that went wrong beside what the tabs did."""
        if self._failed:
            raise self._failed[0]

    async def finish_side_work(self) -> None:
        while self._side:
            await asyncio.wait(self._side)

    async def rest(self, seconds: float) -> None:
        """Not past the beginning of the end."""
        until = time.monotonic() + seconds
        while not self.winding_down and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.2))

    async def post(
        self, who: str, kind: str, value: dict[str, Any], session: Session, web: int, path: str,
        **fields: object,
    ) -> Answer:  # fmt: skip
        """An operation over HTTP whose answer the history needs nothing of."""
        operation = self.history.invoke(who, kind, **value, session=session.number, web=web)
        answer = await self.doors.post(web, path, session, **fields)
        self.history.end(operation, who, kind, answer.state, **answer.reason if answer.code else {})
        return answer
