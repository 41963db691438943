"""Counters, gauges and histograms in Prometheus' text format 0.0.4, without a dependency.

What is counted on the way of a message costs a lock and an addition, well under a microsecond.
Gauges are functions, asked when somebody looks. Every process has its own figures.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[str, ...]
Readings = Mapping[Labels, float]


class Metric:
    """A name with its samples, one for each combination of the labels' values."""

    kind = ""

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        self.name = name
        self.help = help
        self.labels = tuple(labels)
        self._lock = threading.Lock()

    def lines(self) -> Iterator[str]:
        yield f"# HELP {self.name} {_escape_help(self.help)}"
        yield f"# TYPE {self.name} {self.kind}"
        yield from self._samples()

    def _samples(self) -> Iterator[str]:
        raise NotImplementedError

    def _line(self, values: Labels, value: float, *, suffix: str = "", more: str = "") -> str:
        pairs = [f'{n}="{_escape(v)}"' for n, v in zip(self.labels, values, strict=True)]
        inside = ",".join([*pairs, more] if more else pairs)
        return f"{self.name}{suffix}{'{' + inside + '}' if inside else ''} {_number(value)}"


class Counter(Metric):
    """Only grows. One without labels is there from the start, as 0."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        super().__init__(name, help, labels)
        self._values: dict[Labels, float] = {} if labels else {(): 0}

    def add(self, amount: float = 1, *labels: str) -> None:
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + amount

    def value(self, *labels: str) -> float:
        return self._values.get(labels, 0)

    def _samples(self) -> Iterator[str]:
        with self._lock:
            values = dict(self._values)
        for labels, value in sorted(values.items()):
            yield self._line(labels, value)


class Gauge(Metric):
    """Asked when somebody looks: a number, or one for each combination of labels.

    Who knows the number sets `read`; until then nothing of it exists.
    """

    kind = "gauge"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        super().__init__(name, help, labels)
        self.read: Callable[[], float | Readings] = dict

    def _samples(self) -> Iterator[str]:
        found = self.read()
        readings = found if isinstance(found, Mapping) else {(): found}
        for labels, value in sorted(readings.items()):
            yield self._line(labels, value)


class Histogram(Metric):
    """How often a value was at most as large as each of the bounds, in ascending order."""

    kind = "histogram"

    def __init__(self, name: str, help: str, bounds: Sequence[float]) -> None:
        super().__init__(name, help)
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        place = bisect_left(self._bounds, value)
        with self._lock:
            self._counts[place] += 1
            self._sum += value

    def timed(self, function: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """A coroutine function that observes the seconds of each of its calls."""

        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            began = time.perf_counter()
            try:
                return await function(*args, **kwargs)
            finally:
                self.observe(time.perf_counter() - began)

        return wraps(function)(call)

    @property
    def count(self) -> int:
        return sum(self._counts)

    def _samples(self) -> Iterator[str]:
        with self._lock:
            counts, total = list(self._counts), self._sum
        running = 0
        for bound, count in zip((*self._bounds, float("inf")), counts, strict=True):
            running += count
            yield self._line((), running, suffix="_bucket", more=f'le="{_number(bound)}"')
        yield self._line((), total, suffix="_sum")
        yield self._line((), running, suffix="_count")


def render(metrics: Sequence[Metric]) -> str:
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(float(value))


def _escape_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _escape(value: str) -> str:
    return _escape_help(value).replace('"', r"\"")
