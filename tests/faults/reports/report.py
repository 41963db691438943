"""The report of a campaign: as text, and as one page that needs nothing but itself.

It names no machine, no folder and nobody on it: seed, versions, totals, verdicts and plots.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.checker import PROMISES, Verdict, shown
from tests.faults.checker.reading import Reading
from tests.faults.circumstances import count_kills
from tests.faults.final_file import save_final
from tests.faults.reports.nemeses import NEMESIS_COLUMNS, list_failures, list_nemeses, name_nemesis
from tests.faults.reports.numbers import Numbers
from tests.faults.reports.page import draw_page


@dataclass
class Report:
    """What both forms say. `totals` in the order in which they are shown. What the run was comes
    from its history; `seed` is None, `options` and `versions` are empty where that does not say."""

    seed: int | None
    revision: str
    options: str
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
        if broken:
            return f"Broken: {', '.join(broken)}."
        checked = sum(bool(verdict.checked) for verdict in self.verdicts)
        said = f"All {checked} invariants that were checked hold."
        if lacking := [name for verdict in self.verdicts for name in verdict.lacking]:
            said += f" Not checked: {', '.join(lacking)}."
        return f"{said} But: {'; '.join(self.failures)}." if self.failures else said


def write_report(
    folder: Path, outcome: Any, verdicts: Sequence[Verdict], *, told: dict[str, Any] | None = None,
    numbers: Numbers | None = None,
) -> Report:  # fmt: skip
    """`report.txt` and `report.html` in the folder, and the final state, so that the run can be
    judged once more. `outcome` has the `history` and the `final` state (campaign.Outcome). `told`:
    what the run was, where its history does not say (circumstances).
    `numbers`: if they listened to the history when it was judged; else it is read once more."""
    report = make_report(outcome, verdicts, told=told or {}, numbers=numbers)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.txt").write_text(write_text(report), encoding="utf-8")
    (folder / "report.html").write_text(draw_page(report), encoding="utf-8")
    save_final(outcome.final, folder)
    return report


def make_report(
    outcome: Any, verdicts: Sequence[Verdict], *, told: dict[str, Any], numbers: Numbers | None
) -> Report:
    if numbers is None:
        numbers = Numbers()
        Reading([numbers]).read(outcome.history)
    server = outcome.final.server
    told = {
        "kills": count_kills(numbers.killed),
        "versions": {"PostgreSQL": server} if server else {},
        **told,
        **numbers.outcome,
    }
    kinds: dict[str, int] = {}
    for fault in numbers.faults:
        kinds[fault.name] = kinds.get(fault.name, 0) + 1
    return Report(
        seed=told.get("seed"),
        revision=str(told.get("revision", "")),
        options=describe_options(told.get("options", {})),
        seconds=numbers.until,
        versions=told["versions"],
        verdicts=verdicts,
        numbers=numbers,
        totals=count_totals(outcome, verdicts, numbers, told),
        faults=sorted(kinds.items()),
        nemeses=list_nemeses(numbers),
        skipped=[(name_nemesis(number), why) for number, why in sorted(numbers.skipped.items())],
        refusals=sorted(numbers.refusals.items()),
        closes=[(str(code), count) for code, count in sorted(numbers.closes.items())],
        failures=[*list_failures(numbers.outcome), *numbers.effects.list_idle()],
        kills=sorted(told["kills"].items()),
        crashes=[str(crash) for crash in told.get("crashes", ())],
    )


def count_totals(
    outcome: Any, verdicts: Sequence[Verdict], numbers: Numbers, told: dict[str, Any]
) -> list[tuple[str, str]]:
    final, damage = outcome.final, numbers.damage
    stored = sum(len(each.messages) for each in final.conversations.values())
    done = sum(count for (_, state), count in numbers.kinds.items() if state == "ok")
    counts: list[tuple[str, float]] = [
        ("messages acknowledged", len(damage.acknowledged)),
        ("sends acknowledged, repeats included", numbers.sends["ok"]),
        ("of them repeats of what was stored", numbers.repeats),
        ("operations acknowledged, of every kind", done),
        ("sends without an answer", numbers.sends["unknown"]),
        ("sends refused or failed", numbers.sends["fail"]),
        ("messages stored", stored),
        ("messages handed over by sockets", numbers.handed_over),
        ("connections", numbers.connected),
        ("of them resumed at a revision", numbers.resumed),
        ("faults that met something", len(numbers.faults)),
        ("replies swallowed", sum(under.swallowed for under in numbers.under.values())),
        ("processes killed", sum(told["kills"].values())),
        ("mails", len(final.mails)),
        ("of them brought forward at the end", told.get("brought_forward", 0)),
        ("lost", damage.count_lost(final)),
        ("duplicated", damage.count_duplicated(final)),
        ("misdelivered", count_misdelivered(verdicts)),
    ]
    shown = [(name, f"{count:,}") for name, count in counts]
    for share, words in ((0.5, "half"), (0.99, "99 of 100")):
        milliseconds = numbers.percentile_of_all(share)
        shown.append((f"{words} of the acknowledged sends took at most", f"{milliseconds:.0f} ms"))
    if "converged_after" in told:
        shown.append(("after healing all tabs had all within", f"{told['converged_after']:.1f} s"))
    return shown


def count_misdelivered(verdicts: Sequence[Verdict]) -> int:
    """Whatever somebody was shown who had no right to it: of other people's (all of I11), or after
    the end of their session or of their part in a conversation."""
    return sum(
        verdict.violations if verdict.invariant == "I11" else verdict.misdelivered
        for verdict in verdicts
    )


def describe_options(options: dict[str, Any]) -> str:
    """In the order in which they are told, as `bin/faults` takes them and beyond."""
    if not options:
        return ""
    nemeses = ", ".join(str(number) for number in options["nemeses"]) or "chosen by phase"
    passing = options.get("passing")  # Old histories do not say it.
    others = f" and {passing} in pairs of which one loses their sessions" if passing else ""
    return (
        f"{options['people']} people{others} in {options['conversations']} conversations at"
        f" {options['rate']:g} messages a second; nemeses {nemeses}, of"
        f" {options['seconds_each']:g} s each"
    )


def describe_seed(seed: int | None) -> str:
    return "not told" if seed is None else str(seed)


def write_text(report: Report) -> str:
    minutes = report.seconds / 60
    lines = ["Nothing lost, nothing twice: a campaign", "", report.sentence, ""]
    lines += [f"seed {describe_seed(report.seed)}, {minutes:.1f} minutes"]
    lines += [f"revision {report.revision}"] if report.revision else []
    lines += [report.options, ""] if report.options else [""]
    lines += [f"  {name:<48}{count:>14}" for name, count in report.totals]
    lines += ["", "Under each nemesis, with the healing after it; sends, with their repeats", ""]
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
    if verdict.parts:
        lines.append(f"       of them {', '.join(verdict.described_parts)}")
    if verdict.unchecked:
        lines.append(f"       not checked: {', '.join(verdict.unchecked)}")
    if not verdict.holds:
        lines.append(f"       {verdict.violations} times, for example:")
    return lines + [f"       - {example}" for example in verdict.examples]
