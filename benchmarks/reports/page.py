"""The report as one HTML page: no script, no font, no picture of anybody else's."""

from html import escape

from benchmarks.contenders.roster import ROSTER
from benchmarks.reports.baseline import Moved
from benchmarks.reports.report import Line, Report
from benchmarks.reports.text import show, write_mistakes, write_moved
from benchmarks.taking import Figure, Result, Series

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1c1d1f; --soft: #5c6066; --rule: #dcdfe3;
  --bar: #7fa8d1; --ours: #2563a8; --good: #1b7f3b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181b; --ink: #e8eaed; --soft: #a3a9b1;
  --rule: #34383d; --bar: #3f6d9c; --ours: #7fb2ea; --good: #6fd08f; --bad: #f2837b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem 1rem 3rem; max-width: 72rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; font-weight: 600; }
p { margin: .25rem 0 .75rem; max-width: 45rem; } .soft { color: var(--soft); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; min-width: 36rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-top: 1px solid var(--rule); font-weight: 400; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
figure { margin: 0; display: grid; gap: .4rem; }
.row { display: grid; grid-template-columns: minmax(8rem, 20rem) 1fr 5rem; gap: .75rem;
  align-items: center; font-size: .875rem; }
.track { position: relative; height: .85rem; background: var(--rule); }
.track i { position: absolute; inset: 0 auto 0 0; background: var(--bar); }
.track b { position: absolute; top: .3rem; height: .25rem; background: var(--ink); opacity: .45; }
.ours .track i { background: var(--ours); }
pre { white-space: pre-wrap; font: inherit; }
@media (max-width: 40rem) { .row { grid-template-columns: 1fr 5rem; }
  .row > :first-child { grid-column: 1 / -1; } }
"""
VERDICTS = {"aim": "good", "met": "good", "missed": "bad", "not measured": "soft"}


def draw(report: Report, moved: Moved) -> str:
    parts = [
        "<h1>How fast, beside what else there is</h1>",
        f'<p class="soft">{escape(describe_run(report))}</p>',
        f"<h2>What was asked for</h2>{draw_bars(report)}",
        *(draw_result(result) for result in report.results),
        f"<h2>What was checked meanwhile</h2><pre>{escape(write_mistakes(report))}</pre>",
    ]
    if moved.better or moved.worse:
        parts.append(f"<h2>What moved</h2><pre>{escape(write_moved(moved))}</pre>")
    parts.append(f"<h2>On what</h2>{draw_versions(report)}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Measurements</title><style>{STYLE}</style></head>\n"
        f"<body><main>{chr(10).join(parts)}</main></body></html>\n"
    )


def describe_run(report: Report) -> str:
    return (
        f"{report.seconds / 60:.0f} minutes. Everybody was measured in turn, round after round, on"
        " the same machine; bars show the median and, as a line, the range. Only ratios of one run"
        " mean anything."
    )


def draw_bars(report: Report) -> str:
    head = "<tr><th>What</th>" + "".join(
        f'<th class="number">{name}</th>' for name in ("Bar", "Aim", "Measured")
    )
    rows = "".join(draw_line(line) for line in report.lines)
    return f'<div class="wide"><table>{head}<th></th></tr>{rows}</table></div>'


def draw_line(line: Line) -> str:
    sign = "≤" if line.bar.at_most else "≥"
    asked = [f"{sign} {line.show(value)}" for value in (line.bar.bar, line.bar.aim)]
    cells = "".join(
        f'<td class="number">{escape(cell)}</td>' for cell in (*asked, line.show(line.value))
    )
    kind = VERDICTS[line.verdict]
    return (
        f'<tr><th scope="row">{escape(line.bar.title)}</th>{cells}'
        f'<td class="{kind}">{escape(line.verdict)}</td></tr>'
    )


def draw_result(result: Result) -> str:
    plots = "".join(
        draw_figure(figure, list(result.series.values()))
        for figure in result.measure.figures
        if any(series.values(figure.name) for series in result.series.values())
    )
    return f"<h2>{escape(result.measure.title)}</h2>{plots}"


def draw_figure(figure: Figure, series: list[Series]) -> str:
    most = max(max(one.values(figure.name), default=0.0) for one in series) or 1.0
    rows = "".join(draw_row(figure, one, most) for one in series)
    return f"<h3>{escape(figure.title)}</h3><figure>{rows}</figure>"


def draw_row(figure: Figure, series: Series, most: float) -> str:
    values, median = series.values(figure.name), series.median(figure.name)
    if median is None:
        return ""
    share, low, high = (100 * value / most for value in (median, min(values), max(values)))
    contender = ROSTER[series.contender]
    kind = "row ours" if contender.is_ours else "row"
    return (
        f'<div class="{kind}" title="{escape(show(series, figure))}">'
        f"<span>{escape(contender.title)}</span>"
        f'<span class="track"><i style="width:{share:.1f}%"></i>'
        f'<b style="left:{low:.1f}%;width:{max(high - low, 0.3):.1f}%"></b></span>'
        f'<span class="number">{escape(figure.form.format(median))}</span></div>'
    )


def draw_versions(report: Report) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in report.versions.items()
    )
    return f"<table>{rows}</table>"
