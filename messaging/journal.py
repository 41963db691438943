"""Group commit for the messages that come over sockets.

What has queued up while one batch was committing is the next batch: no timer, no added latency
when idle, and under load one COMMIT carries hundreds of messages. Whose rows somebody else holds is
left out and waited for beside it, on another thread and another connection.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

from django.db import InterfaceError, OperationalError, connection, transaction

from messaging import metrics, runtime
from messaging.events import Event
from messaging.exceptions import Unavailable
from messaging.held_drafts import Entry, HeldDrafts, group, keys_before, keys_of, size_of
from messaging.hub import current_hub
from messaging.services.attempts import is_lock_timeout
from messaging.services.drafts import (
    Draft,
    Held,
    Outcome,
    Patience,
    Recorded,
)
from messaging.services.holding import wait_at_most
from messaging.services.record import record
from notifications import failpoints

logger = logging.getLogger(__name__)

BATCH_DRAFTS = 500
BATCH_BYTES = 1024 * 1024
ANSWERED_AT_ONCE = 64
MAXIMUM_WAITING = 10_000
MAXIMUM_WAITING_BYTES = 32 * 1024 * 1024
# For the rows of those whom batches have left out, all together that wait at the same time.
LOCK_SECONDS = 1.0
# Nothing more can be done about these one draft at a time: the database itself is away.
DATABASE_AWAY = (OperationalError, InterfaceError)


class Room:
    """What has been taken and not begun to be stored, by all who have this room together."""

    def __init__(self) -> None:
        self._count = self._bytes = 0

    def is_full(self) -> bool:
        return self._count >= MAXIMUM_WAITING or self._bytes >= MAXIMUM_WAITING_BYTES

    def take(self, size: int) -> None:
        self._count += 1
        self._bytes += size

    def give_back(self, size: int) -> None:
        self._count -= 1
        self._bytes -= size


class Journal:
    """It commits on a thread and a database connection of its own, and waits for what others hold
    on a second one."""

    def __init__(self, room: Room | None = None) -> None:
        self._waiting: deque[Entry] = deque()
        self._room = room or Room()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="messaging-journal")
        self._held = HeldDrafts()
        self._held_task: asyncio.Task[None] | None = None
        self._held_executor = ThreadPoolExecutor(1, thread_name_prefix="messaging-held")

    def append(self, draft: Draft, answer: Callable[[Outcome], None]) -> None:
        """`answer` is called in this loop, with the receipt after the COMMIT or the refusal."""
        if self._closed or self._room.is_full():
            answer(Unavailable())
            return
        self._waiting.append((draft, answer))
        self._room.take(size_of(draft))
        if self._task is None or self._task.done():
            self._task = runtime.spawn(self._commit_all())

    @property
    def depth(self) -> int:
        return len(self._waiting) + self._held.count

    def is_at_work(self) -> bool:
        return bool(self._list_running())

    def _list_running(self) -> list[asyncio.Task[None]]:
        return [task for task in (self._task, self._held_task) if task and not task.done()]

    async def finish(self) -> None:
        """Wait until everything taken so far is answered."""
        while running := self._list_running():
            await asyncio.shield(running[0])

    async def close(self) -> None:
        await self.finish()
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        # `connection` is another one in each thread: its `close` must be looked up over there.
        await loop.run_in_executor(self._executor, lambda: connection.close())
        self._executor.shutdown(wait=False)
        self._held_executor.shutdown(wait=False)

    async def _commit_all(self) -> None:
        """The next batch is on its way before this one is answered: the database need not wait for
        that."""
        entries, storing = self._begin_batch()
        while storing is not None:
            recorded = await storing
            for entry, why in _left_out(entries, recorded):
                self._wait_for(entry, why)
            following = self._begin_batch()
            await _answer(entries, recorded)
            entries, storing = following if following[1] else self._begin_batch()

    def _begin_batch(self) -> tuple[list[Entry], asyncio.Future[Recorded] | None]:
        """Nothing, when nothing waits that may be stored now."""
        entries = self._take_batch()
        return entries, _store(entries, record_safely, self._executor) if entries else None

    def _wait_for(self, entry: Entry, why: Held | None = None) -> None:
        if not self._held.add(entry, why):
            _give(entry[1], Unavailable())
        elif self._held_task is None or self._held_task.done():
            self._held_task = runtime.spawn(self._commit_held())

    async def _commit_held(self) -> None:
        """Who was held for a moment only does not wait for those who are held longer."""
        while entries := self._held.take_all():
            held = await self._commit(entries, record_safely)
            until = time.monotonic() + LOCK_SECONDS
            for part in group(held):
                wait = partial(record_held, seconds=until - time.monotonic())
                await self._commit(part, wait)
            if not self._held.count:  # The connection may not be needed again for long.
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._held_executor, lambda: connection.close())

    async def _commit(
        self, entries: list[Entry], store: Callable[[Sequence[Draft]], Recorded]
    ) -> list[tuple[Entry, Held]]:
        """Of those that were left out before. Gives those that are once more."""
        recorded = await _store(entries, store, self._held_executor)
        await _answer(entries, recorded)
        return _left_out(entries, recorded)

    def _take_batch(self) -> list[Entry]:
        """The next ones, without those that have to come after a held one."""
        batch: list[Entry] = []
        size = 0
        while self._waiting and len(batch) < BATCH_DRAFTS:
            entry = self._waiting[0]
            more = size_of(entry[0])
            is_held = self._held.come_before(entry[0])
            if not is_held and batch and size + more > BATCH_BYTES:
                break
            self._waiting.popleft()
            self._room.give_back(more)
            if is_held:
                self._wait_for(entry)
            else:
                batch.append(entry)
                size += more
        return batch


def _store(
    entries: list[Entry], store: Callable[[Sequence[Draft]], Recorded], executor: Executor
) -> asyncio.Future[Recorded]:
    return asyncio.get_running_loop().run_in_executor(
        executor, store, [draft for draft, _ in entries]
    )


def _left_out(entries: list[Entry], recorded: Recorded) -> list[tuple[Entry, Held]]:
    """Those that are not answered yet."""
    return [
        (entry, outcome)
        for entry, outcome in zip(entries, recorded.outcomes, strict=True)
        if isinstance(outcome, Held)
    ]


async def _answer(entries: list[Entry], recorded: Recorded) -> None:
    """Answer, and publish. A large batch in parts, between which the loop has a turn: those who
    have their answer go on meanwhile, and nobody else waits for all of it."""
    failpoints.reach("journal.committed")
    answered = list(zip(entries, recorded.outcomes, strict=True))
    for start in range(0, max(len(answered), len(recorded.events)), ANSWERED_AT_ONCE):
        for entry, outcome in answered[start : start + ANSWERED_AT_ONCE]:
            if not isinstance(outcome, Held):
                _give(entry[1], outcome)
                failpoints.reach("journal.answered")
        _publish(recorded.events[start : start + ANSWERED_AT_ONCE])
        await asyncio.sleep(0)


def _give(answer: Callable[[Outcome], None], outcome: Outcome) -> None:
    """One connection that cannot take its answer costs the others nothing."""
    try:
        answer(outcome)
    except Exception:
        logger.exception("An answer could not be given")


def _publish(events: Sequence[Event]) -> None:
    """A hint that cannot be given costs nobody their answer: the heartbeat finds what is new."""
    try:
        current_hub().publish(events)
    except Exception:
        logger.exception("%d events could not be published", len(events))


def record_safely(drafts: Sequence[Draft]) -> Recorded:
    """`record`, once more on a fresh connection if that fails, then draft by draft: one bad draft
    costs only itself. What could not be stored is Unavailable; nothing is raised. Nothing that
    others hold is waited for longer than a moment: what is Held comes after, without the others."""
    try:
        return _record_patiently(drafts)
    except Exception as error:
        logger.exception("A batch of %d messages failed", len(drafts))
        metrics.COMMIT_FAILURES.add()
        connection.close()
        if len(drafts) == 1 or isinstance(error, DATABASE_AWAY):
            return Recorded(outcomes=[Unavailable() for _ in drafts])
    return _record_one_by_one(drafts)


def _record_patiently(drafts: Sequence[Draft]) -> Recorded:
    """Three tries at most: one more for a row that somebody holds, one more for anything else, in
    whichever order they come."""
    patience, has_failed = Patience.SHORT, False
    while True:
        try:
            return record(drafts, patience=patience)
        except Exception as error:
            if is_lock_timeout(error) and patience is Patience.SHORT:
                patience = Patience.NONE
                continue
            if has_failed:
                raise
            has_failed = True
            connection.close()


def record_held(drafts: Sequence[Draft], *, seconds: float) -> Recorded:
    """One person's that batches have left out. `seconds`: to wait for each row that others hold."""
    try:
        with transaction.atomic():
            wait_at_most(seconds)
            return record(drafts)
    except Exception as error:
        connection.close()
        logger.warning("One person's messages could not be stored: %s", type(error).__name__)
        return Recorded(outcomes=[Unavailable() for _ in drafts])


def _record_one_by_one(drafts: Sequence[Draft]) -> Recorded:
    together = Recorded(outcomes=[])
    is_away = False  # Hundreds of failures in a row help nobody.
    held: dict[Hashable, Held] = {}  # What comes after such a one waits with it.
    for draft in drafts:
        before = next((held[key] for key in keys_before(draft) if key in held), None)
        try:
            if before or is_away:
                one = Recorded([before or Unavailable()])
            else:
                one = record([draft], patience=Patience.NONE)
        except Exception as error:
            connection.close()
            logger.warning("A message could not be stored: %s", type(error).__name__)
            is_away = is_away or isinstance(error, DATABASE_AWAY)
            one = Recorded([Unavailable()])
        for why in one.outcomes:
            if isinstance(why, Held):
                held |= dict.fromkeys(keys_of(draft, why), why)
        together.outcomes.extend(one.outcomes)
        together.events.extend(one.events)
    return together
