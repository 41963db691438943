"""Many who ask the same thing at the same time are answered together.

Hundreds of sockets that come back at once ask the database the same few questions, and a question
about fifty costs it hardly more than one about one. While one reading goes on, whoever asks waits
for the next: nobody is answered with what was read before they asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from django.db import Error as DatabaseError

from messaging import runtime

Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST_TOGETHER = 100
# One may hang, on a database that does, and whoever is not in it is still answered.
READINGS_AT_ONCE = 2


class Gathering(Generic[Question, Answer]):
    """Of one event loop. `read` gives an answer for each question, in their order; an exception
    among them is raised where it was asked, and one that `read` raises is raised everywhere."""

    def __init__(
        self, read: Callable[[Sequence[Question]], Awaitable[Sequence[Answer | Exception]]]
    ) -> None:
        self._read = read
        self._waiting: dict[asyncio.Future[Answer], Question] = {}
        self._readings = 0
        self._tasks: set[asyncio.Task[None]] = set()  # The loop itself keeps none.

    async def ask(self, question: Question) -> Answer:
        """Raises what became of it."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[answer] = question
        if self._readings < READINGS_AT_ONCE:
            self._readings += 1
            task = runtime.spawn(self._answer_all())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            return await answer
        finally:
            self._waiting.pop(answer, None)  # Nothing is read for who has gone meanwhile.

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                await self._answer_next()
        finally:
            # With the last look at who waits, and not a turn of the loop later: whoever comes in
            # between would be left to a reading that has ended.
            self._readings -= 1

    async def _answer_next(self) -> None:
        asked = dict(islice(self._waiting.items(), MOST_TOGETHER))
        for future in asked:
            del self._waiting[future]
        answers: Sequence[Answer | Exception]
        try:
            answers = await self._read(list(asked.values()))
        except Exception as error:
            answers = [error] * len(asked)
        except BaseException:  # The loop ends.
            for future in asked:
                future.cancel()
            raise
        for future, answer in zip(asked, answers, strict=True):
            _settle(future, answer)


def _settle(future: "asyncio.Future[Answer]", answer: Answer | Exception) -> None:
    if future.done():  # Whoever asked has gone.
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def outcome_of(function: Callable[[Question], Answer], of: Question) -> Answer | Exception:
    """What it gives, or raises: what is wrong about one costs the others nothing. The database's
    own failures are everybody's, and raised."""
    try:
        return function(of)
    except DatabaseError:
        raise
    except Exception as error:
        return error
