"""A run: everything that was measured, and whether it is what was asked for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.taking import Bar, Result


@dataclass(frozen=True)
class Line:
    """One bar and what was measured. `value` None: it was not."""

    bar: Bar
    value: float | None

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if not self.bar.is_met(self.value, self.bar.bar):
            return "missed"
        return "aim" if self.bar.is_met(self.value, self.bar.aim) else "met"

    def show(self, value: float | None) -> str:
        if value is None:
            return "–"
        return f"{value:.2f} ×" if self.bar.against else f"{value:,.1f}"


@dataclass(frozen=True)
class Report:
    results: Sequence[Result]
    is_full: bool
    seconds: float
    versions: dict[str, str]

    @property
    def lines(self) -> list[Line]:
        return [
            Line(bar, result.value_of(bar))
            for result in self.results
            for bar in result.measure.bars
        ]

    @property
    def mistakes(self) -> dict[str, dict[str, int]]:
        """By measure and contender."""
        return {
            f"{result.measure.name} of {name}": series.mistakes
            for result in self.results
            for name, series in result.series.items()
            if series.mistakes
        }

    @property
    def is_good(self) -> bool:
        return not self.mistakes and all(line.verdict != "missed" for line in self.lines)

    def as_json(self) -> str:
        content: dict[str, Any] = {
            "versions": self.versions,
            "seconds": round(self.seconds),
            "bars": {line.bar.title: line.value for line in self.lines},
            "mistakes": self.mistakes,
            "measures": {
                result.measure.name: {
                    name: {
                        "disturbed": series.disturbed,
                        **{
                            figure.name: series.values(figure.name)
                            for figure in result.measure.figures
                        },
                    }
                    for name, series in result.series.items()
                }
                for result in self.results
            },
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
