"""`bin/faults judge FOLDER`: judges a run once more, from the history and the final state in it."""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.checker import judge, shown
from tests.faults.checker.running import CONTROL_P99_SECONDS
from tests.faults.final_file import NAME, load_final
from tests.faults.final_state import FinalState
from tests.faults.report import write_report
from tests.faults.report_numbers import Numbers, Span

HISTORY = "history.jsonl"


@dataclass
class Judged:
    """What a report needs of a run that is over."""

    history: Path
    final: FinalState
    kills: dict[str, int] = field(default_factory=dict)
    crashes: Sequence[str] = ()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/faults judge", description=__doc__)
    parser.add_argument("folder", type=Path, help="the report's folder of a campaign")
    parser.add_argument(
        "--busy", action="store_true", help="the machine did something else besides"
    )
    parser.add_argument("--report", type=Path, help="another folder for the new report")
    given = parser.parse_args(arguments)
    history = given.folder / HISTORY
    for path in (history, given.folder / NAME):
        if not path.is_file():
            parser.error(f"{path} is not there")
    return judge_again(history, given.report or given.folder, is_busy=given.busy)


def find_kills(numbers: Numbers) -> list[Span]:
    return [fault for fault in numbers.faults if fault.name == "kill"]


def judge_again(history: Path, report: Path, *, is_busy: bool) -> int:
    final, numbers = load_final(history.parent), Numbers()
    most = None if is_busy else CONTROL_P99_SECONDS
    verdicts = judge(history, final, also=[numbers], control_p99=most)
    killed = Counter(fault.target.rstrip("0123456789") for fault in find_kills(numbers))
    outcome = Judged(history, final, dict(killed), numbers.outcome.get("crashes", ()))
    written = write_report(report, outcome, verdicts, numbers=numbers)
    print((report / "report.txt").read_text(encoding="utf-8"))
    return 0 if shown(verdicts) and written.all_shown else 1
