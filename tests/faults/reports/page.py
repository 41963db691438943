"""The report as one HTML page: no script, no font, no picture of anybody else's."""

from html import escape
from typing import TYPE_CHECKING

from tests.faults.checker import PROMISES, Verdict, describe
from tests.faults.reports.nemeses import NEMESIS_COLUMNS
from tests.faults.reports.plots import describe_time, draw_faults, draw_latency, draw_rates

if TYPE_CHECKING:
    from tests.faults.reports.report import Report

NARROW, WIDE = 360, 1100
STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1c1d1f; --soft: #5c6066; --rule: #dcdfe3;
  --half: #2563a8; --slow: #b4530a; --ok: #7fa8d1; --fail: #e0a13c; --unknown: #b3261e;
  --fault: #8a4fbf; --good: #1b7f3b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181b; --ink: #e8eaed; --soft: #a3a9b1;
  --rule: #34383d; --half: #7fb2ea; --slow: #f0a35e; --ok: #3f6d9c; --fail: #b98227;
  --unknown: #f2837b; --fault: #c39aec; --good: #6fd08f; --bad: #f2837b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem 1rem 3rem; max-width: 72rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0 .75rem; max-width: 45rem; }
.soft, .legend { color: var(--soft); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-top: 1px solid var(--rule); font-weight: 400; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; padding-right: 0; }
.numbers { display: grid; gap: 0 3rem;
  grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.verdict { border-top: 1px solid var(--rule); padding: .6rem 0; }
.verdict summary { cursor: pointer; display: flex; flex-wrap: wrap; gap: 0 1rem; }
.verdict b { min-width: 2.5rem; } .verdict .said { flex: 1 1 14rem; }
.verdict pre { white-space: pre-wrap; font: inherit; color: var(--soft); margin: .5rem 0; }
.verdict li { margin: .2rem 0; }
svg { display: block; width: 100%; height: auto; margin: .5rem 0; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg .end { text-anchor: end; } svg .grid { stroke: var(--rule); stroke-width: 1; }
svg polyline { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
svg .p50 { stroke: var(--half); } svg .p99 { stroke: var(--slow); }
svg .ok { fill: var(--ok); } svg .fail { fill: var(--fail); } svg .unknown { fill: var(--unknown); }
svg .fault { fill: var(--fault); } svg .silence { fill: var(--rule); }
.wide-table { overflow-x: auto; } .wide-table table { min-width: 46rem; }
.wide-table td.number, .wide-table th.number { padding-right: .75rem; }
.legend span::before { content: ""; display: inline-block; width: .7rem; height: .7rem;
  margin: 0 .35rem 0 0; background: var(--mark); } .legend span { margin-right: 1rem; }
svg.wide { display: none; }
@media (min-width: 720px) { svg.wide { display: block; } svg.narrow { display: none; } }
"""


def draw_page(report: "Report") -> str:
    parts = [
        f"<h1>Nothing lost, nothing twice</h1>{_draw_sentence(report)}",
        f"<h2>Totals</h2>{_draw_totals(report)}",
        f"<h2>How long a send takes</h2>{_draw_plots(report)}",
        f"<h2>Invariants</h2>{''.join(_draw_verdict(each) for each in report.verdicts)}",
        f"<h2>Under each nemesis</h2>{_draw_nemeses(report)}",
        f"<h2>Faults</h2>{_draw_counts(report)}",
        f"<h2>Refusals, and the ends of sockets</h2>{_draw_ends(report)}",
        f"<h2>What was run</h2>{_draw_run(report)}",
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Campaign, {_name_seed(report)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{chr(10).join(parts)}</main></body></html>\n"
    )


def _draw_sentence(report: "Report") -> str:
    kind = "good" if report.all_shown else "bad"
    about = f"{_name_seed(report).capitalize()}, {describe_time(report.seconds)} minutes."
    return (
        f'<p class="{kind}">{escape(report.sentence)}</p><p class="soft">{about} People wrote to'
        " each other over two web processes while these, the workers, the database, Redis, the mail"
        " server and every connection between them failed in turn. Then what they had been told was"
        " compared with what there is.</p>"
    )


def _name_seed(report: "Report") -> str:
    return "seed not told" if report.seed is None else f"seed {report.seed}"


def _draw_totals(report: "Report") -> str:
    half = (len(report.totals) + 1) // 2
    tables = [_draw_table(report.totals[:half]), _draw_table(report.totals[half:])]
    return f'<div class="numbers">{"".join(tables)}</div>'


def _draw_table(rows: list[tuple[str, str]]) -> str:
    inside = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="number">{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f"<table>{inside}</table>"


def _draw_plots(report: "Report") -> str:
    numbers = report.numbers
    sizes = ((NARROW, "narrow"), (WIDE, "wide"))
    latency = "".join(draw_latency(numbers, width, kind) for width, kind in sizes)
    faults = "".join(draw_faults(numbers, width, kind) for width, kind in sizes)
    rates = "".join(draw_rates(numbers, width, kind) for width, kind in sizes)
    beneath = faults if numbers.faults else '<p class="soft">There were no faults.</p>'
    return (
        f"{_draw_legend(half='half of them', slow='99 of 100', rule='none acknowledged')}"
        '<p class="soft">Of acknowledged sends only.</p>'
        f"{latency}{beneath}"
        f"<h2>Operations a second</h2>"
        f"{_draw_legend(ok='done', fail='refused', unknown='without an answer')}{rates}"
    )


def _draw_legend(**marks: str) -> str:
    spans = "".join(
        f'<span style="--mark: var(--{name})">{escape(words)}</span>'
        for name, words in marks.items()
    )
    return f'<p class="legend">{spans}</p>'


def _draw_verdict(verdict: Verdict) -> str:
    kind = "bad" if not verdict.holds else "good" if verdict.checked else "soft"
    definition = describe(verdict.invariant)
    first, _, rest = definition.partition("\n\n")
    title = " ".join(first.partition(": ")[2].split())
    promises = " and ".join(str(number) for number in PROMISES[verdict.invariant])
    promise = f"Promise {promises}. " if promises else ""
    examples = "".join(f"<li>{escape(example)}</li>" for example in verdict.examples)
    parts = "; ".join(verdict.described_parts)
    parts = f" Of them {parts}." if parts else ""
    told = f"{verdict.violations} times, for example:<ul>{examples}</ul>" if examples else ""
    more = "\n\n".join(
        " ".join(part.split()) for part in rest.strip().split("\n\n") if part.strip()
    )
    return (
        f'<details class="verdict"{" open" if examples else ""}><summary>'
        f'<b>{verdict.invariant}</b><span class="said">{escape(title)}</span>'
        f'<span class="{kind}">{verdict.word}</span>'
        f'<span class="soft">{verdict.checked:,} compared</span></summary>'
        f"<p>{escape(promise)}{escape(verdict.note)}{escape(parts)}</p><pre>{escape(more)}</pre>{told}</details>"
    )


def _draw_counts(report: "Report") -> str:
    faults = [(name.replace("_", " "), f"{count:,}") for name, count in report.faults]
    kills = [(f"{name} killed", f"{count:,}") for name, count in report.kills]
    crashes = "".join(f'<p class="bad">By itself: {escape(each)}</p>' for each in report.crashes)
    return f'<div class="numbers">{_draw_table(faults)}{_draw_table(kills)}</div>{crashes}'


def _draw_nemeses(report: "Report") -> str:
    name, *columns, words = NEMESIS_COLUMNS
    head = "".join(f'<th scope="col" class="number">{escape(column)}</th>' for column in columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td class="number">{escape(value)}</td>' for value in row[1:-1])
        + f"<td>{escape(row[-1])}</td></tr>"
        for row in report.nemeses
    )
    top = f'<tr><th scope="col">{name}</th>{head}<th scope="col">{words}</th></tr>'
    skipped = "".join(
        f'<p class="bad">Skipped: {escape(name)}. {escape(why)}</p>' for name, why in report.skipped
    )
    said = (
        '<p class="soft">Sends, with their repeats, and with the healing after it. Faults are'
        " those that met something.</p>"
    )
    return f'{said}<div class="wide-table"><table>{top}{rows}</table></div>{skipped}'


def _draw_ends(report: "Report") -> str:
    refused = [(code or "without a code", f"{count:,}") for code, count in report.refusals]
    closed = [(f"closed with {code}", f"{count:,}") for code, count in report.closes]
    return f'<div class="numbers">{_draw_table(refused)}{_draw_table(closed)}</div>'


def _draw_run(report: "Report") -> str:
    told = [("revision", report.revision), ("run", report.options)]
    about = "".join(f"<p>{name}: {escape(what)}</p>" for name, what in told if what)
    return f'{about}<div class="numbers">{_draw_table(list(report.versions.items()))}</div>'
