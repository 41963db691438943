"""The ratios of a run that was kept, and what has moved since."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.reports.report import Line, Report

KEPT = Path(__file__).parent / "baseline.json"
# Two runs on the same machine differ by so much with nothing changed in between.
NOISE = 0.2


@dataclass(frozen=True)
class Moved:
    """Sentences, by whether it is good news."""

    better: list[str] = field(default_factory=list)
    worse: list[str] = field(default_factory=list)


def compare(report: Report, kept: Path = KEPT) -> Moved:
    """Only what both have measured, at the same sizes."""
    moved = Moved()
    if not kept.exists():
        return moved
    before: dict[str, float] = json.loads(kept.read_text()).get(kind_of(report), {})
    for line in report.lines:
        old = before.get(line.bar.title)
        if old and line.value is not None and abs(line.value / old - 1) > NOISE:
            list_for(moved, line, old).append(
                f"{line.bar.title}: {line.show(old)} then, {line.show(line.value)} now"
            )
    return moved


def list_for(moved: Moved, line: Line, old: float) -> list[str]:
    assert line.value is not None
    return moved.better if (line.value < old) == line.bar.at_most else moved.worse


def keep(report: Report, kept: Path = KEPT) -> None:
    """Other kinds of runs, and bars that were not measured now, keep what they had."""
    content: dict[str, dict[str, float]] = json.loads(kept.read_text()) if kept.exists() else {}
    ratios = {
        line.bar.title: round(line.value, 3) for line in report.lines if line.value is not None
    }
    content[kind_of(report)] = {**content.get(kind_of(report), {}), **ratios}
    kept.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def kind_of(report: Report) -> str:
    return "full" if report.is_full else "quick"
