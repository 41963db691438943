"""The journals of a process: while one waits for the database, another is at work.

A conversation's messages always pass the same one, in their order. Between two of them there is no
order, as there is none between two web processes; the rows that both need, of somebody who writes
in several conversations at once, they wait for like those (docs/adr/0013-two-journals.md).
"""

from collections.abc import Callable

from django.db import connection

from messaging import metrics, runtime
from messaging.journal import Journal, Room
from messaging.services.drafts import Draft, Outcome

ON_POSTGRESQL, ELSEWHERE = 2, 1  # SQLite has one writer at a time.


class Journals:
    """Of one event loop. Together they keep no more waiting than one may."""

    def __init__(self) -> None:
        room = Room()
        count = ON_POSTGRESQL if connection.vendor == "postgresql" else ELSEWHERE
        self._journals = [Journal(room) for _ in range(count)]

    def append(self, draft: Draft, answer: Callable[[Outcome], None]) -> None:
        """As `Journal.append`."""
        self._journals[draft.conversation_id.int % len(self._journals)].append(draft, answer)

    @property
    def depth(self) -> int:
        return sum(journal.depth for journal in self._journals)

    def is_at_work(self) -> bool:
        return any(journal.is_at_work() for journal in self._journals)

    async def finish(self) -> None:
        """Wait until everything taken so far is answered."""
        while self.is_at_work():  # One may have taken more while another was waited for.
            for journal in self._journals:
                await journal.finish()

    async def close(self) -> None:
        await self.finish()
        for journal in self._journals:
            await journal.close()


_journals: runtime.LoopLocal[Journals] = runtime.LoopLocal(Journals)
metrics.JOURNAL_DEPTH.read = lambda: sum(journals.depth for journals in _journals.all())


def current_journals() -> Journals:
    return _journals.get()
