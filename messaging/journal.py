"""Group commit for the messages that come over sockets.

What has queued up while one batch was committing is the next batch: no timer, no added latency
when idle, and under load one COMMIT carries hundreds of messages.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import InterfaceError, OperationalError, connection

from messaging import metrics, runtime
from messaging.exceptions import Unavailable
from messaging.hub import current_hub
from messaging.services.drafts import Draft, Outcome, Recorded
from messaging.services.record import record

logger = logging.getLogger(__name__)

BATCH_DRAFTS = 500
BATCH_BYTES = 1024 * 1024
MAXIMUM_WAITING = 10_000
# Nothing more can be done about these one draft at a time: the database itself is away.
DATABASE_AWAY = (OperationalError, InterfaceError)


class Journal:
    """Of one event loop. It commits on a thread and a database connection of its own."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Draft, Callable[[Outcome], None]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="messaging-journal")

    def append(self, draft: Draft, answer: Callable[[Outcome], None]) -> None:
        """`answer` is called in this loop, with the receipt after the COMMIT or the refusal."""
        if self._closed or len(self._waiting) >= MAXIMUM_WAITING:
            answer(Unavailable())
            return
        self._waiting.append((draft, answer))
        if self._task is None or self._task.done():
            self._task = runtime.spawn(self._commit_all())

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
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = self._take_batch()
            drafts = [draft for draft, _ in batch]
            recorded = await loop.run_in_executor(self._executor, record_safely, drafts)
            for (_, answer), outcome in zip(batch, recorded.outcomes, strict=True):
                _give(answer, outcome)
            current_hub().publish(recorded.events)

    def _take_batch(self) -> list[tuple[Draft, Callable[[Outcome], None]]]:
        batch = [self._waiting.popleft()]
        size = _size(batch[0][0])
        while self._waiting and len(batch) < BATCH_DRAFTS:
            size += _size(self._waiting[0][0])
            if size > BATCH_BYTES:
                break
            batch.append(self._waiting.popleft())
        return batch


def _size(draft: Draft) -> int:
    return len(draft.body.encode(errors="replace"))


def _give(answer: Callable[[Outcome], None], outcome: Outcome) -> None:
    """One connection that cannot take its answer costs the others nothing."""
    try:
        answer(outcome)
    except Exception:
        logger.exception("An answer could not be given")


def record_safely(drafts: Sequence[Draft]) -> Recorded:
    """`record`, once more on a fresh connection if that fails, then draft by draft: one bad draft
    costs only itself. What could not be stored is Unavailable; nothing is raised."""
    try:
        try:
            return record(drafts)
        except Exception:
            connection.close()
            return record(drafts)
    except Exception as error:
        logger.exception("A batch of %d messages failed", len(drafts))
        metrics.COMMIT_FAILURES.add()
        connection.close()
        if len(drafts) == 1 or isinstance(error, DATABASE_AWAY):
            return Recorded(outcomes=[Unavailable() for _ in drafts])
    return _record_one_by_one(drafts)


def _record_one_by_one(drafts: Sequence[Draft]) -> Recorded:
    together = Recorded(outcomes=[])
    away = False
    for draft in drafts:
        one = Recorded(outcomes=[Unavailable()])
        try:
            one = one if away else record([draft])
        except Exception as error:
            connection.close()
            logger.warning("A message could not be stored: %s", type(error).__name__)
            away = isinstance(error, DATABASE_AWAY)  # Hundreds of time-outs in a row help nobody.
        together.outcomes.extend(one.outcomes)
        together.events.extend(one.events)
    return together


_journals: runtime.LoopLocal[Journal] = runtime.LoopLocal(Journal)
metrics.JOURNAL_DEPTH.read = lambda: sum(journal.depth for journal in _journals.all())


def current_journal() -> Journal:
    return _journals.get()


def current_journal_if_made() -> Journal | None:
    return _journals.get_if_made()
