"""`bin/faults judge FOLDER`: judges a run once more, from the history and the final state in it."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from tests.faults.checker import judge, shown
from tests.faults.checker.running import CONTROL_P99_SECONDS
from tests.faults.circumstances import read_earlier
from tests.faults.final_file import NAME, load_final
from tests.faults.final_state import FinalState
from tests.faults.reports.numbers import Numbers
from tests.faults.reports.report import write_report

HISTORY = "history.jsonl"


@dataclass
class Judged:
    """What a report needs of a run that is over, beside what its history says."""

    history: Path
    final: FinalState


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/faults judge", description=__doc__)
    parser.add_argument("folder", type=Path, help="the report's folder of a campaign")
    parser.add_argument(
        "--busy", action="store_true", help="the machine did something else besides"
    )
    parser.add_argument(
        "--seed", type=int, help="of a run whose history and earlier report do not tell it"
    )
    parser.add_argument("--report", type=Path, help="another folder for the new report")
    given = parser.parse_args(arguments)
    history = given.folder / HISTORY
    for path in (history, given.folder / NAME):
        if not path.is_file():
            parser.error(f"{path} is not there")
    report = given.report or given.folder
    return judge_again(history, report, is_busy=given.busy, seed=given.seed)


def judge_again(history: Path, report: Path, *, is_busy: bool, seed: int | None = None) -> int:
    """`seed`: where nothing tells it that was written when the run ended."""
    final, numbers = load_final(history.parent), Numbers()
    most = None if is_busy else CONTROL_P99_SECONDS
    verdicts = judge(history, final, also=[numbers], control_p99=most, is_busy=is_busy)
    told = {"seed": seed, **read_earlier(history.parent)}
    written = write_report(report, Judged(history, final), verdicts, told=told, numbers=numbers)
    print((report / "report.txt").read_text(encoding="utf-8"))
    return 0 if shown(verdicts) and written.all_shown else 1
