"""What every nemesis acts on, and how what it does is written down."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.faults.history import History
from tests.faults.servers.stack import Stack

WHO = "nemesis"


@dataclass
class Field:
    """`until` is a moment of `time.monotonic()`. Two acts at once never have the same target."""

    number: int
    stack: Stack
    random: random.Random
    until: float
    history: History
    busy: set[str] = field(default_factory=set)

    @property
    def left(self) -> float:
        return max(0.0, self.until - time.monotonic())

    async def sleep(self, low: float, high: float) -> None:
        """For some seconds between the two, but not past the end."""
        await asyncio.sleep(min(self.random.uniform(low, high), self.left))

    def choose(self, names: Sequence[str]) -> str | None:
        """One that nobody else is busy with, if there is one."""
        free = [name for name in names if name not in self.busy]
        return self.random.choice(free) if free else None

    @asynccontextmanager
    async def fault(self, kind: str, target: str, **value: Any) -> AsyncIterator[dict[str, Any]]:
        """From here to the end of the block; what is put into the dictionary is told with the end:
        `effect` above all, what it met, 0 for nothing. Without it that is one thing.

        What does not come back by itself is written down as `fail`; `Stack.heal` tries again.
        """
        self.busy.add(target)
        asked = {"nemesis": self.number, "target": target, **value}
        operation = self.history.invoke(WHO, kind, **asked)
        told: dict[str, Any] = {"effect": 1}
        state = "unknown"
        try:
            yield told
            state = "ok"
        except (RuntimeError, OSError, psycopg.Error) as error:
            state, told["why"] = "fail", f"{type(error).__name__}: {error}".strip()
        finally:
            self.busy.discard(target)
            self.stack.effects[kind] += bool(told["effect"])
            self.history.end(operation, WHO, kind, state, **told)  # type: ignore[arg-type]


Act = Callable[[Field], Awaitable[None]]
LEAST: dict[Act, float] = {}  # In seconds: what is shorter hurts nobody.


def needs(seconds: float) -> Callable[[Act], Act]:
    """An act that is not begun when less than this is left."""

    def note(act: Act) -> Act:
        LEAST[act] = seconds
        return act

    return note


def choose_act(field: Field, acts: Sequence[Act]) -> Act:
    """One that there is still time for; to wait when there is none."""
    fitting = [act for act in acts if LEAST.get(act, 0.0) <= field.left]
    return field.random.choice(fitting) if fitting else wait


async def wait(field: Field) -> None:
    await asyncio.sleep(field.left)


async def act_again_and_again(field: Field, acts: Sequence[Act], *, every: float) -> None:
    """One act after the other, about `every` so many seconds."""
    while field.left:
        await choose_act(field, acts)(field)
        await field.sleep(every / 2, every * 1.5)


async def act_all_over(field: Field, acts: Sequence[Act], *, every: float) -> None:
    """Begin another one every so many seconds, whatever still goes on."""
    going: set[asyncio.Task[None]] = set()
    try:
        while field.left:
            task = asyncio.ensure_future(choose_act(field, acts)(field))
            going.add(task)
            task.add_done_callback(going.discard)
            await field.sleep(every / 2, every * 1.5)
        await asyncio.gather(*going)
    finally:
        for task in going:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*going, return_exceptions=True)
