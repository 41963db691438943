"""What happened in a run: every operation as people saw it, every fault, every frame that came.

The checker judges this and the final state, never the logs of the servers. One JSON object a line:

    {"at": 12.345678, "who": "ana.1", "kind": "send", "state": "invoke", "operation": 17, …}

`at` is in seconds since the run began, on one monotonic clock for everything. `who` is a person's
tab, `nemesis` or `campaign`. An operation is one attempt: it is written down as `invoke` before
anything leaves, and once more as `ok` (what was answered), `fail` (certainly not done) or
`unknown` (done or not: no answer came). `seen` is what a tab was told without having asked.
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

State = Literal["invoke", "ok", "fail", "unknown", "seen"]


@dataclass(frozen=True)
class Record:
    """One line. `operation` is 0 for what nobody asked for."""

    at: float
    who: str
    kind: str
    state: State
    operation: int = 0
    value: dict[str, Any] = field(default_factory=dict)


class History:
    """Written as it happens, so that a run which dies leaves what it had."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.began = time.monotonic()
        self.counts: dict[tuple[str, str], int] = {}
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._operations = 0
        self._lock = threading.Lock()  # People and nemeses are threads of their own.

    def now(self) -> float:
        return time.monotonic() - self.began

    def invoke(self, who: str, kind: str, **value: Any) -> int:
        """Number of the operation that begins, for `end`."""
        with self._lock:
            self._operations += 1
            operation = self._operations
        self._write(who, kind, "invoke", operation, value)
        return operation

    def end(self, operation: int, who: str, kind: str, state: State, **value: Any) -> None:
        self._write(who, kind, state, operation, value)

    def see(self, who: str, kind: str, **value: Any) -> None:
        self._write(who, kind, "seen", 0, value)

    def close(self) -> None:
        self._file.close()

    def _write(
        self, who: str, kind: str, state: State, operation: int, value: dict[str, Any]
    ) -> None:
        line = {"at": round(self.now(), 6), "who": who, "kind": kind, "state": state}
        text = json.dumps({**line, "operation": operation, "value": value}) + "\n"
        with self._lock:
            self.counts[kind, state] = self.counts.get((kind, state), 0) + 1
            self._file.write(text)


def read_history(path: Path) -> Iterator[Record]:
    """In the order in which it was written. A last line that was cut off is left out."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield Record(**json.loads(line))
