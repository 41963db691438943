"""What `bin/bench` is told."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contenders.roster import ROSTER
from benchmarks.measures.catalogue import CATALOGUE
from benchmarks.taking import Sizes
from tests.services.places import PROJECT

QUICK = Sizes(rounds=2, seconds=4.0, warm_up=1.5, idle_connections=1000, storm_connections=500)
FULL = Sizes(rounds=5, seconds=10.0, warm_up=3.0)
# Only these in a quick run: ours, and what the bars compare it with.
QUICK_CONTENDERS = (
    *("tutorial", "ours", "bare", "ours_uvicorn", "tutorial_best", "ours_two", "ours_sqlite"),
    "naive",
)
REPORTS = PROJECT / "var" / "bench"


@dataclass(frozen=True)
class Options:
    is_full: bool
    sizes: Sizes
    measures: tuple[str, ...]
    contenders: tuple[str, ...]
    report: Path
    keeps_baseline: bool


def parse(arguments: Sequence[str]) -> Options:
    """Ends the program when something is wrong with them."""
    parser = argparse.ArgumentParser(
        prog="bin/bench",
        description="Measures this messaging beside others on the same machine, in turn, and"
        " compares: only ratios of one run mean anything. Exit status 1 when a bar is missed, when"
        " something got lost, doubled or out of order while it was measured, or when the ratios"
        " are clearly worse than those of the last run that was kept.",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="a few minutes; without --full")
    how.add_argument("--full", action="store_true", help="everything, with more rounds")
    names = [measure.name for measure in CATALOGUE]
    parser.add_argument("--measures", help=f"some of {','.join(names)}")
    parser.add_argument("--contenders", help=f"some of {','.join(ROSTER)}")
    parser.add_argument("--rounds", type=int, help="of each measure")
    parser.add_argument("--report", type=Path, help="a folder; else one under var/bench")
    parser.add_argument(
        "--keep-baseline", action="store_true", help="later runs are compared with this one"
    )
    given = parser.parse_args(arguments)
    sizes = FULL if given.full else QUICK
    if given.rounds:
        sizes = Sizes(**{**vars(sizes), "rounds": given.rounds})
    everybody = tuple(ROSTER) if given.full else QUICK_CONTENDERS
    return Options(
        is_full=given.full,
        sizes=sizes,
        measures=choose(parser, given.measures, names),
        contenders=choose(parser, given.contenders, tuple(ROSTER))
        if given.contenders
        else everybody,
        report=given.report or REPORTS / ("full" if given.full else "quick"),
        keeps_baseline=given.keep_baseline,
    )


def choose(
    parser: argparse.ArgumentParser, given: str | None, all_names: Sequence[str]
) -> tuple[str, ...]:
    chosen = tuple(given.split(",")) if given else tuple(all_names)
    if unknown := [name for name in chosen if name not in all_names]:
        parser.error(f"there is no {unknown[0]}: there are {', '.join(all_names)}")
    return chosen
