"""One pass over a history: each check is told of what it listens to, and keeps what it needs.

A check listens by having methods: `began_send(operation)`, `ended_send(operation)` and
`saw_frame(record)` for the kinds of the history. What the nemesis does is the kind `fault`. An hour
has millions of lines, so nothing but what a check keeps is held.
"""

import json
from collections.abc import Callable, Iterable
from math import inf
from pathlib import Path
from typing import Any

Value = dict[str, Any]


class Operation:
    """One attempt. `ended` is infinite and `state` unknown for what never came to an end."""

    __slots__ = ("answer", "asked", "began", "ended", "kind", "notes", "number", "state", "who")

    def __init__(self, record: Value) -> None:
        self.number: int = record["operation"]
        self.kind: str = record["kind"]
        self.who: str = record["who"]
        self.began: float = record["at"]
        self.asked: Value = record["value"]
        self.ended = inf
        self.state = "unknown"
        self.answer: Value = {}
        self.notes: Value = {}  # What checks remember of the moment it began, by their names.


class Seen:
    """What a tab was told without having asked."""

    __slots__ = ("at", "value", "who")

    def __init__(self, record: Value) -> None:
        self.at: float = record["at"]
        self.who: str = record["who"]
        self.value: Value = record["value"]


Handlers = dict[str, list[Callable[[Any], None]]]


def find_handlers(checks: Iterable[Any], prefix: str) -> Handlers:
    handlers: Handlers = {}
    for check in checks:
        for name in dir(check):
            if name.startswith(prefix):
                handlers.setdefault(name.removeprefix(prefix), []).append(getattr(check, name))
    return handlers


class Reading:
    def __init__(self, checks: list[Any]) -> None:
        self.began = find_handlers(checks, "began_")
        self.ended = find_handlers(checks, "ended_")
        self.saw = find_handlers(checks, "saw_")
        self.open: dict[int, Operation] = {}
        self.lines = 0

    def read(self, path: Path) -> None:
        """A last line that was cut off is left out; what is open then is unknown for ever."""
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if not line.endswith("\n"):
                    break
                self.lines += 1
                self._take(json.loads(line))
        for operation in list(self.open.values()):
            self._tell(self.ended, operation)
        self.open.clear()

    def _take(self, record: Value) -> None:
        state = record["state"]
        if state == "seen":
            handlers = self.saw.get(record["kind"])
            if handlers:
                seen = Seen(record)
                for handler in handlers:
                    handler(seen)
        elif state == "invoke":
            operation = Operation(record)
            self.open[operation.number] = operation
            self._tell(self.began, operation)
        else:
            self._end(record)

    def _end(self, record: Value) -> None:
        operation = self.open.pop(record["operation"], None)
        if operation is None:
            raise ValueError(f"Operation {record['operation']} ended without having begun.")
        operation.ended = record["at"]
        operation.state = record["state"]
        operation.answer = record["value"]
        self._tell(self.ended, operation)

    def _tell(self, handlers: Handlers, operation: Operation) -> None:
        kind = "fault" if operation.who == "nemesis" else operation.kind
        for handler in handlers.get(kind, ()):
            handler(operation)
