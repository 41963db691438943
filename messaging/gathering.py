"""Many who ask the same thing at the same time are answered together.

Hundreds of sockets that come back at once ask the database the same few questions, and a question
about fifty costs it hardly more than one about one. While one reading goes on, whoever asks waits
for the next: nobody is answered with what was read before they asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from messaging import runtime

Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST_TOGETHER = 100
# One may hang, on a database that does, and the others are still answered.
READINGS_AT_ONCE = 2


class Gathering(Generic[Question, Answer]):
    """Of one event loop. `read` gives an answer for each question, in their order; an exception
    among them is raised where it was asked, and one that `read` raises is raised everywhere."""

    def __init__(
        self, read: Callable[[Sequence[Question]], Awaitable[Sequence[Answer | Exception]]]
    ) -> None:
        self._read = read
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._reading: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> Answer:
        """Raises what became of it."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if len(self._reading) < READINGS_AT_ONCE:
            task = runtime.spawn(self._answer_all())
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        return await answer

    async def _answer_all(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
            answers: Sequence[Answer | Exception]
            try:
                answers = await self._read([question for question, _ in asked])
            except Exception as error:
                answers = [error] * len(asked)
            for (_, future), answer in zip(asked, answers, strict=True):
                _settle(future, answer)


def _settle(future: "asyncio.Future[Answer]", answer: Answer | Exception) -> None:
    if future.done():  # Whoever asked has gone.
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
