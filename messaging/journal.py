"""Group commit for the messages that come over sockets.

What has queued up while one batch was committing is the next batch: no timer, no added latency
when idle, and under load one COMMIT carries hundreds of messages.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

from django.db import InterfaceError, OperationalError, connection, transaction

from messaging import metrics, runtime
from messaging.events import Event, UserId
from messaging.exceptions import Unavailable
from messaging.hub import current_hub
from messaging.services.attempts import is_lock_timeout
from messaging.services.drafts import Draft, Held, Outcome, Recorded
from messaging.services.holding import wait_at_most
from messaging.services.record import record
from notifications import failpoints

logger = logging.getLogger(__name__)

BATCH_DRAFTS = 500
BATCH_BYTES = 1024 * 1024
MAXIMUM_WAITING = 10_000
MAXIMUM_WAITING_BYTES = 32 * 1024 * 1024
# For the rows of those whom a batch has left out, all of them together: what has queued up behind
# it waits so much longer at most (and for a COMMIT more per person who was left out).
LOCK_SECONDS = 1.0
# Nothing more can be done about these one draft at a time: the database itself is away.
DATABASE_AWAY = (OperationalError, InterfaceError)

# A draft, and what is called with what became of it.
Entry: TypeAlias = tuple[Draft, Callable[[Outcome], None]]


class Journal:
    """Of one event loop. It commits on a thread and a database connection of its own."""

    def __init__(self) -> None:
        self._waiting: deque[Entry] = deque()
        self._waiting_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="messaging-journal")

    def append(self, draft: Draft, answer: Callable[[Outcome], None]) -> None:
        """`answer` is called in this loop, with the receipt after the COMMIT or the refusal."""
        if self._closed or self._is_full():
            answer(Unavailable())
            return
        self._waiting.append((draft, answer))
        self._waiting_bytes += _size(draft)
        if self._task is None or self._task.done():
            self._task = runtime.spawn(self._commit_all())

    def _is_full(self) -> bool:
        return len(self._waiting) >= MAXIMUM_WAITING or self._waiting_bytes >= MAXIMUM_WAITING_BYTES

    @property
    def depth(self) -> int:
        return len(self._waiting)

    async def finish(self) -> None:
        """Wait until everything taken so far is answered."""
        while self._task is not None and not self._task.done():
            await asyncio.shield(self._task)

    async def close(self) -> None:
        await self.finish()
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        # `connection` is another one in each thread: its `close` must be looked up over there.
        await loop.run_in_executor(self._executor, lambda: connection.close())
        self._executor.shutdown(wait=False)

    async def _commit_all(self) -> None:
        while self._waiting:
            held = await self._commit(self._take_batch(), record_safely)
            until = time.monotonic() + LOCK_SECONDS
            for entries in _by_person(held):
                seconds = until - time.monotonic()
                await self._commit(entries, partial(record_held, seconds=seconds))

    async def _commit(
        self, entries: list[Entry], store: Callable[[Sequence[Draft]], Recorded]
    ) -> list[Entry]:
        """Store, answer, publish. Gives those that were left out, unanswered."""
        loop = asyncio.get_running_loop()
        drafts = [draft for draft, _ in entries]
        recorded = await loop.run_in_executor(self._executor, store, drafts)
        failpoints.reach("journal.committed")
        held = []
        for entry, outcome in zip(entries, recorded.outcomes, strict=True):
            if isinstance(outcome, Held):
                held.append(entry)
                continue
            _give(entry[1], outcome)
            failpoints.reach("journal.answered")
        _publish(recorded.events)
        return held

    def _take_batch(self) -> list[Entry]:
        batch = [self._waiting.popleft()]
        size = _size(batch[0][0])
        while self._waiting and len(batch) < BATCH_DRAFTS:
            size += _size(self._waiting[0][0])
            if size > BATCH_BYTES:
                break
            batch.append(self._waiting.popleft())
        self._waiting_bytes -= sum(_size(draft) for draft, _ in batch)
        return batch


def _by_person(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Each person's in their order."""
    people: dict[UserId, list[Entry]] = {}
    for entry in entries:
        people.setdefault(entry[0].user_id, []).append(entry)
    return list(people.values())


def _size(draft: Draft) -> int:
    return len(draft.body.encode(errors="replace"))


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
    costs only itself. What could not be stored is Unavailable; nothing is raised. Nobody's row is
    waited for: what is Held comes after, for a short while and without the others."""
    try:
        try:
            return record(drafts, wait=False)
        except Exception as error:
            connection.close()
            if is_lock_timeout(error):  # Of a conversation. Once more would be as long once more.
                return Recorded(outcomes=[Held() for _ in drafts])
            return record(drafts, wait=False)
    except Exception as error:
        logger.exception("A batch of %d messages failed", len(drafts))
        metrics.COMMIT_FAILURES.add()
        connection.close()
        if len(drafts) == 1 or isinstance(error, DATABASE_AWAY):
            return Recorded(outcomes=[Unavailable() for _ in drafts])
    return _record_one_by_one(drafts)


def record_held(drafts: Sequence[Draft], *, seconds: float) -> Recorded:
    """One person's that a batch has left out. `seconds`: to wait for each row that others hold."""
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
    rest: type[Unavailable] | None = None  # Hundreds of time-outs in a row help nobody.
    for draft in drafts:
        try:
            one = Recorded([rest()]) if rest else record([draft], wait=False)
        except Exception as error:
            connection.close()
            logger.warning("A message could not be stored: %s", type(error).__name__)
            if isinstance(error, DATABASE_AWAY):
                rest = Held if is_lock_timeout(error) else Unavailable
            one = Recorded([(rest or Unavailable)()])
        together.outcomes.extend(one.outcomes)
        together.events.extend(one.events)
    return together


_journals: runtime.LoopLocal[Journal] = runtime.LoopLocal(Journal)
metrics.JOURNAL_DEPTH.read = lambda: sum(journal.depth for journal in _journals.all())


def current_journal() -> Journal:
    return _journals.get()


def current_journal_if_made() -> Journal | None:
    return _journals.get_if_made()
