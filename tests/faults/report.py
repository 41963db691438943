"""The report of a campaign: as text, and as one page that needs nothing but itself.

It names no machine, no folder and nobody on it: seed, versions, totals, verdicts and plots.
"""

import importlib.metadata
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.checker import PROMISES, Verdict, shown
from tests.faults.checker.reading import Reading
from tests.faults.final_file import save_final
from tests.faults.report_nemeses import NEMESIS_COLUMNS, list_failures, list_nemeses, name_nemesis
from tests.faults.report_numbers import Numbers
from tests.faults.report_page import draw_page

PACKAGES = ("django", "channels", "channels-redis", "daphne", "redis", "psycopg", "celery", "kombu")


@dataclass
class Report:
    """What both forms say. `totals` in the order in which they are shown."""

    seed: int | None
    seconds: float
    versions: dict[str, str]
    verdicts: Sequence[Verdict]
    numbers: Numbers
    totals: list[tuple[str, str]]
    faults: list[tuple[str, int]]
    nemeses: list[tuple[str, ...]]  # A row for each, after NEMESIS_COLUMNS.
    skipped: list[tuple[str, str]]
    refusals: list[tuple[str, int]]
    closes: list[tuple[str, int]]
    failures: list[str]  # What else makes it a failure, beside the verdicts.
    kills: list[tuple[str, int]]
    crashes: list[str] = field(default_factory=list)

    @property
    def all_shown(self) -> bool:
        return shown(self.verdicts) and not self.failures

    @property
    def sentence(self) -> str:
        broken = [verdict.invariant for verdict in self.verdicts if not verdict.holds]
        unchecked = [v.invariant for v in self.verdicts if v.holds and not v.checked]
        if broken:
            return f"Broken: {', '.join(broken)}."
        checked = len(self.verdicts) - len(unchecked)
        said = f"All {checked} invariants that were checked hold."
        if unchecked:
            said += f" Not checked: {', '.join(unchecked)}."
        return f"{said} But: {'; '.join(self.failures)}." if self.failures else said


def write_report(
    folder: Path, outcome: Any, verdicts: Sequence[Verdict], *, seed: int | None = None,
    numbers: Numbers | None = None,
) -> Report:  # fmt: skip
    """`report.txt` and `report.html` in the folder, and the final state, so that the run can be
    judged once more. `outcome`: the campaign's (campaign.Outcome).
    `numbers`: if they listened to the history when it was judged; else it is read once more."""
    report = make_report(outcome, verdicts, seed=seed, numbers=numbers)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.txt").write_text(write_text(report), encoding="utf-8")
    (folder / "report.html").write_text(draw_page(report), encoding="utf-8")
    save_final(outcome.final, folder)
    return report


def make_report(
    outcome: Any, verdicts: Sequence[Verdict], *, seed: int | None, numbers: Numbers | None
) -> Report:
    if numbers is None:
        numbers = Numbers()
        Reading([numbers]).read(outcome.history)
    kinds: dict[str, int] = {}
    for fault in numbers.faults:
        kinds[fault.name] = kinds.get(fault.name, 0) + 1
    return Report(
        seed=seed,
        seconds=numbers.until,
        versions=read_versions(outcome.final.server),
        verdicts=verdicts,
        numbers=numbers,
        totals=count_totals(outcome, verdicts, numbers),
        faults=sorted(kinds.items()),
        nemeses=list_nemeses(numbers),
        skipped=[(name_nemesis(number), why) for number, why in sorted(numbers.skipped.items())],
        refusals=sorted(numbers.refusals.items()),
        closes=[(str(code), count) for code, count in sorted(numbers.closes.items())],
        failures=list_failures(numbers.outcome),
        kills=sorted(count_kills(outcome.kills).items()),
        crashes=list(outcome.crashes),
    )


def count_totals(
    outcome: Any, verdicts: Sequence[Verdict], numbers: Numbers
) -> list[tuple[str, str]]:
    violations = {verdict.invariant: verdict.violations for verdict in verdicts}
    stored = sum(len(each.messages) for each in outcome.final.conversations.values())
    counts: list[tuple[str, float]] = [
        ("sends acknowledged", numbers.sends["ok"]),
        ("of them repeats of what was stored", numbers.repeats),
        ("sends without an answer", numbers.sends["unknown"]),
        ("sends refused or failed", numbers.sends["fail"]),
        ("messages stored", stored),
        ("messages handed over by sockets", numbers.handed_over),
        ("connections", numbers.connected),
        ("of them resumed at a revision", numbers.resumed),
        ("faults that met something", len(numbers.faults)),
        ("replies swallowed", sum(under.swallowed for under in numbers.under.values())),
        ("processes killed", sum(count_kills(outcome.kills).values())),
        ("mails", len(outcome.final.mails)),
        ("lost", violations.get("I1", 0)),
        ("duplicated", violations.get("I2", 0)),
        ("misdelivered", violations.get("I11", 0)),
    ]
    shown = [(name, f"{count:,}") for name, count in counts]
    for share, words in ((0.5, "half"), (0.99, "99 of 100")):
        milliseconds = numbers.percentile_of_all(share)
        shown.append((f"{words} of the acknowledged sends took at most", f"{milliseconds:.0f} ms"))
    return shown


def describe_seed(seed: int | None) -> str:
    return "not told" if seed is None else str(seed)


def count_kills(kills: dict[str, int]) -> dict[str, int]:
    """The mail server is no process of its own: it only stops listening."""
    return {name: count for name, count in kills.items() if name != "mail"}


def read_versions(server: str) -> dict[str, str]:
    versions = {"Python": platform.python_version()}
    for name in PACKAGES:
        versions[name] = importlib.metadata.version(name)
    if server:
        versions["PostgreSQL"] = server
    return versions


def write_text(report: Report) -> str:
    minutes = report.seconds / 60
    lines = ["Nothing lost, nothing twice: a campaign", "", report.sentence, ""]
    lines += [f"seed {describe_seed(report.seed)}, {minutes:.1f} minutes", ""]
    lines += [f"  {name:<48}{count:>14}" for name, count in report.totals]
    lines += ["", "Under each nemesis, with the healing after it", ""]
    lines += ["  " + _align(row) for row in (NEMESIS_COLUMNS, *report.nemeses)]
    lines += [f"  skipped: {name}. {why}" for name, why in report.skipped]
    lines += ["", "Faults by kind, those that met something"]
    lines += [f"  {name:<48}{count:>14,}" for name, count in report.faults]
    lines += ["", "Kills by kind of process"]
    lines += [f"  {name:<48}{count:>14,}" for name, count in report.kills]
    lines += [f"  ended by itself: {crash}" for crash in report.crashes]
    lines += ["", "Sends refused, by code"]
    lines += [f"  {code or 'without a code':<48}{count:>14,}" for code, count in report.refusals]
    lines += ["", "Sockets closed, by code"]
    lines += [f"  {code:<48}{count:>14,}" for code, count in report.closes]
    lines += ["", "Verdicts"]
    for verdict in report.verdicts:
        lines += _write_verdict(verdict)
    lines += ["", "Versions"]
    lines += [f"  {name:<24}{version}" for name, version in report.versions.items()]
    return "\n".join(lines) + "\n"


def _align(row: tuple[str, ...]) -> str:
    name, *numbers, words = row
    return f"{name:<42}" + "".join(f"{number:>14}" for number in numbers) + f"  {words}"


def _write_verdict(verdict: Verdict) -> list[str]:
    promises = ", ".join(str(number) for number in PROMISES[verdict.invariant]) or "–"
    line = (
        f"  {verdict.invariant:<5}{verdict.word:<13}{verdict.checked:>12,}  promise {promises:<6}"
    )
    lines = [f"{line}{verdict.note}".rstrip()]
    parts = (f"{name} {checked:,}" for name, checked in verdict.parts)
    if verdict.parts:
        lines.append(f"       of them {', '.join(parts)}")
    if verdict.unchecked:
        lines.append(f"       not checked: {', '.join(verdict.unchecked)}")
    if not verdict.holds:
        lines.append(f"       {verdict.violations} times, for example:")
    return lines + [f"       - {example}" for example in verdict.examples]
