"""A database's answers without a database, so that a million frames are a matter of minutes.

Whatever a frame makes a connection ask is answered at once, in the shapes that the real one gives.
Everything before and after that is the product's own: decoding, deciding, queueing, answering.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from messaging import journal, runtime
from messaging.exceptions import NotFound
from messaging.journals import Journals
from messaging.selectors.entering import Room
from messaging.selectors.messages import Changes
from messaging.services.changes import ChangeReceipt
from messaging.services.drafts import Draft, Outcome, Receipt, Recorded

in_database = runtime.in_database
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LAST = 30


class InPlace(Executor):
    """What is to run in a thread runs here: it does not wait for anything."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **fields: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(function(*args, **fields))
        return done


class Pretence:
    """One conversation, `here`; every other one is not there."""

    def __init__(self, here: str) -> None:
        self.here = here

    def put_in_place(self, patch: pytest.MonkeyPatch, of_the_loop: Journals) -> None:
        patch.setattr(runtime, "in_database", self.in_database)
        patch.setattr(journal, "record", self.record)
        for each in of_the_loop._journals:
            patch.setattr(each, "_executor", InPlace())

    def record(self, drafts: Sequence[Draft], **how: Any) -> Recorded:
        return Recorded(outcomes=[self._store(draft) for draft in drafts])

    def _store(self, draft: Draft) -> Outcome:
        if str(draft.conversation_id) != self.here:
            return NotFound()
        draft.body.encode()  # As the way to a database does.
        key = draft.client_message_id
        return Receipt(draft.conversation_id, key, 1, LAST, LAST, NOW)

    async def in_database(self, function: Callable[..., Any], *args: Any, **fields: Any) -> Any:
        asked: Any = function
        if isinstance(asked, partial):
            asked, fields = asked.func, {**asked.keywords, **fields}
        answer: Callable[..., Any] | None = getattr(self, f"answer_{asked.__name__}", None)
        if answer is None:  # A handshake's question, say.
            return await in_database(asked, *args, **fields)
        return answer(*args, **fields)

    def _look(self, conversation_id: UUID) -> None:
        if str(conversation_id) != self.here:
            raise NotFound()

    def answer_enter_rooms(self, asked: Sequence[tuple[Any, UUID]]) -> list[Room | NotFound]:
        return [
            Room(conversation_id, LAST, LAST, "buyer", 0, [], [])
            if str(conversation_id) == self.here
            else NotFound()
            for _, conversation_id in asked
        ]

    def answer_read_changes(self, person: Any, conversation_id: UUID, after: int) -> Changes:
        self._look(conversation_id)
        return Changes([], LAST, more=False)

    def answer_mark_read(self, *, conversation_id: UUID, sequence: int, **rest: Any) -> int:
        self._look(conversation_id)
        return min(sequence, LAST)

    def answer_edit_message(
        self, *, conversation_id: UUID, sequence: int, body: str, **rest: Any
    ) -> ChangeReceipt:
        body.encode()
        return self.answer_delete_message(conversation_id=conversation_id, sequence=sequence)

    def answer_delete_message(
        self, *, conversation_id: UUID, sequence: int, **rest: Any
    ) -> ChangeReceipt:
        self._look(conversation_id)
        if not 1 <= sequence <= LAST:
            raise NotFound()
        return ChangeReceipt(conversation_id, 1, sequence, LAST, NOW)

    def answer_mark_online(self, people: Any) -> None:
        """Presence is not what frames are about."""
