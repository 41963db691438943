"""Processes that die at every place between a COMMIT and what follows from it.

Each operation is done by a real process against a real PostgreSQL, Redis and mail server, which
dies at the marked place; then it is judged, done again with the same id, and judged once more. On
another web process the other person's sockets are open all the time and have to get everything.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from notifications.failpoints import KILLED
from tests.faults.dying.operations import is_acknowledged
from tests.faults.dying.stage import Stage, set_stage
from tests.faults.dying.table import ROWS, Row, first_rows
from tests.services.places import keep_logs, make_run_directory, remove_run_directory
from tests.services.postgresql import PostgresServer, find_binaries

WIDTHS = (24, 26, 6, 8, 8, 6, 11, 8)
HEADINGS = ("place", "operation", "hits", "stored", "acked", "lost", "duplicated", "healed")
EXAMPLES = 3


@dataclass
class Tally:
    """What became of the attempts of one row."""

    row: Row
    wanted: int
    hits: int = 0
    stored: int = 0  # Things that were stored when the process had died.
    acknowledged: int = 0  # Things that were acknowledged before.
    lost: int = 0
    duplicated: int = 0
    unhealed: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return self.hits == self.wanted and not (self.lost or self.duplicated or self.unhealed)

    def note(self, wrong: Sequence[str]) -> None:
        self.unhealed += bool(wrong)
        self.examples += wrong

    def cells(self) -> tuple[str, ...]:
        name = self.row.place + (f" ×{self.row.after}" if self.row.after > 1 else "")
        numbers = (self.hits, self.stored, self.acknowledged, self.lost, self.duplicated)
        return name, self.row.operation.name, *map(str, numbers), "no" if self.unhealed else "yes"


def try_row(stage: Stage, row: Row, times: int, label: str) -> Tally:
    tally = Tally(row, times)
    operation = row.operation(stage, label, times)
    for number in range(1, times + 1):
        order = operation.begin(number)
        status, reports = stage.nursery.run(*order, place=row.place, after=row.after)
        if status != KILLED:
            tally.examples.append(f"ended with {status} instead of dying: {reports}")
            continue
        tally.hits += 1
        died = operation.counts()
        acknowledged = sum(is_acknowledged(report) for report in reports)
        tally.stored += sum(map(bool, died))
        tally.acknowledged += acknowledged
        tally.lost += sum(not count for count in died[: max(acknowledged, int(row.stored))])
        if not row.stored and any(died):
            tally.note([f"stored before it was committed: {died}"])
        _, again = stage.nursery.run(*operation.again(order))
        tally.note(operation.judge_retry(died, again) if again else ["a retry had no answer"])
        tally.lost += sum(count == 0 for count in operation.counts())
        tally.duplicated += sum(count > 1 for count in operation.counts())
        tally.note(operation.judge_hit())
    tally.note(operation.judge_end())
    return tally


def format_row(cells: Sequence[str]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def try_all(stage: Stage, rows: Sequence[Row], times: int) -> list[Tally]:
    """Prints the table while it grows."""
    print(format_row(HEADINGS), flush=True)
    tallies = []
    for number, row in enumerate(rows):
        tally = try_row(stage, row, times, f"row{number}")
        print(format_row(tally.cells()), flush=True)
        for example in tally.examples[:EXAMPLES]:
            print(f"    {example}", flush=True)
        tallies.append(tally)
    return tallies


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/faults failpoints", description=__doc__)
    parser.add_argument("--times", type=int, default=100, help="hits of each row (100)")
    parser.add_argument("--only", default="", help="rows whose place begins with this")
    parser.add_argument("--short", action="store_true", help="one row for each place")
    return parser.parse_args(arguments)


@contextmanager
def durable_stage() -> Iterator[Stage]:
    """On a PostgreSQL of its own that syncs every commit."""
    directory = make_run_directory()
    database = PostgresServer(directory / "postgres", find_binaries(), durable=True).make()
    try:
        with set_stage(directory, database.start().url()) as stage:
            yield stage
    finally:
        database.stop()
        keep_logs(directory)
        remove_run_directory(directory)


def main(arguments: Sequence[str]) -> int:
    options = read_arguments(arguments)
    rows = [
        row
        for row in (first_rows() if options.short else ROWS)
        if row.place.startswith(options.only)
    ]
    began = time.monotonic()
    with durable_stage() as stage:
        tallies = try_all(stage, rows, options.times)
    broken = [tally for tally in tallies if not tally.holds]
    if broken:
        print("What the processes said is in var/test/logs/.")
    hits = sum(tally.hits for tally in tallies)
    print(f"{hits} processes died in {len(rows)} rows; {len(broken)} rows do not hold.", end=" ")
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
