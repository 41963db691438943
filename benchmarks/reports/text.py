"""The report as text."""

from collections.abc import Sequence

from benchmarks.contenders.roster import ROSTER
from benchmarks.reports.baseline import Moved
from benchmarks.reports.report import Report
from benchmarks.taking import Figure, Result, Series

NAME_WIDTH = 64


def write(report: Report, moved: Moved) -> str:
    parts = [write_bars(report), *(write_result(result) for result in report.results)]
    parts += [write_mistakes(report), write_moved(moved), write_run(report)]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_bars(report: Report) -> str:
    rows: list[tuple[str, ...]] = [("what", "bar", "aim", "measured", "")]
    for line in report.lines:
        sign = "≤" if line.bar.at_most else "≥"
        asked = [f"{sign} {line.show(value)}" for value in (line.bar.bar, line.bar.aim)]
        rows.append((line.bar.title, *asked, line.show(line.value), line.verdict))
    return "\n".join(
        f"{what:{NAME_WIDTH + 8}}{bar:>12}{aim:>12}{value:>12}  {verdict}".rstrip()
        for what, bar, aim, value, verdict in rows
    )


def write_result(result: Result) -> str:
    figures = result.measure.figures
    head = f"{result.measure.title}\n{'':{NAME_WIDTH}}" + "".join(
        f"{figure.title:>28}" for figure in figures
    )
    return "\n".join([head, *(write_series(one, figures) for one in result.series.values())])


def write_series(series: Series, figures: Sequence[Figure]) -> str:
    title = ROSTER[series.contender].title
    cells = "".join(f"{show(series, figure):>28}" for figure in figures)
    thrown = f"  ({series.disturbed} disturbed runs thrown away)" if series.disturbed else ""
    return f"{title:{NAME_WIDTH}}{cells}{thrown}"


def show(series: Series, figure: Figure) -> str:
    """The median, and between what the rounds were."""
    values, median = series.values(figure.name), series.median(figure.name)
    if median is None:
        return "–"
    least, most = (figure.form.format(value) for value in (min(values), max(values)))
    return f"{figure.form.format(median)} ({least}–{most})"


def write_mistakes(report: Report) -> str:
    if not report.mistakes:
        return "Nothing was lost, doubled, out of order or in the wrong place."
    lines = [f"  {where}: {kinds}" for where, kinds in report.mistakes.items()]
    return "\n".join(["Mistakes:", *lines])


def write_moved(moved: Moved) -> str:
    lines = [f"  better: {sentence}" for sentence in moved.better]
    lines += [f"  worse: {sentence}" for sentence in moved.worse]
    return "\n".join(["Since the run that was kept:", *lines]) if lines else ""


def write_run(report: Report) -> str:
    told = "\n".join(f"  {name:16}{value}" for name, value in report.versions.items())
    return f"{report.seconds / 60:.1f} minutes, on\n{told}"
