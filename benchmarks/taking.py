"""What a measurement is: figures of one contender in one round, and how they are compared."""

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.machine import Usage
from benchmarks.serving import Serving


@dataclass(frozen=True)
class Sizes:
    """How much is measured: `--quick` or `--full`."""

    rounds: int
    seconds: float
    warm_up: float
    rooms: int = 100
    in_flight: int = 8
    rate: float = 200.0
    idle_connections: int = 5000
    accepted_connections: int = 1000
    storm_connections: int = 2000


@dataclass(frozen=True)
class Taken:
    """`figures` by their name; `mistakes`: anything lost, doubled or in the wrong place."""

    figures: Mapping[str, float]
    usage: Usage
    mistakes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """How a figure is shown: `{:.1f}` of it."""

    name: str
    title: str
    form: str = "{:,.0f}"


@dataclass(frozen=True)
class Bar:
    """The median of `figure` of one contender against that of another, or alone.

    `bar` and `aim` are at least what is asked for, or with `at_most` at most.
    """

    title: str
    figure: str
    of: str
    against: str = ""
    bar: float = 0.0
    aim: float = 0.0
    at_most: bool = False

    def is_met(self, value: float, asked: float) -> bool:
        return value <= asked if self.at_most else value >= asked


@dataclass(frozen=True)
class Measure:
    name: str
    title: str
    contenders: Sequence[str]
    figures: Sequence[Figure]
    bars: Sequence[Bar]
    take: Callable[[Serving, Sizes], Awaitable[Taken]]


@dataclass
class Series:
    """All rounds of one contender in one measure."""

    contender: str
    taken: list[Taken] = field(default_factory=list)
    disturbed: int = 0  # Runs that were thrown away.

    def values(self, figure: str) -> list[float]:
        return [taken.figures[figure] for taken in self.taken if figure in taken.figures]

    def median(self, figure: str) -> float | None:
        values = self.values(figure)
        return statistics.median(values) if values else None

    @property
    def mistakes(self) -> dict[str, int]:
        total: dict[str, int] = {}
        for taken in self.taken:
            for kind, count in taken.mistakes.items():
                total[kind] = total.get(kind, 0) + count
        return {kind: count for kind, count in total.items() if count}


@dataclass
class Result:
    measure: Measure
    series: dict[str, Series]

    def value_of(self, bar: Bar) -> float | None:
        """None where somebody it needs was not measured."""
        own = self._median(bar.of, bar.figure)
        if not bar.against or own is None:
            return own
        other = self._median(bar.against, bar.figure)
        return own / other if other else None

    def _median(self, contender: str, figure: str) -> float | None:
        return self.series[contender].median(figure) if contender in self.series else None
