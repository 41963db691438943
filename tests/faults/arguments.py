"""What `bin/faults` is told."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from tests.faults.clients.passing import count_people
from tests.faults.clients.world import CONVERSATIONS
from tests.services.places import PROJECT

# What two cores carry beside the clients, the proxies and the databases without a queue: at thirty,
# the quiet phases measured that. Whoever is answered slowly asks more slowly anyway.
DEFAULT_RATE = 20.0
REPORTS = PROJECT / "var" / "faults"


@dataclass(frozen=True)
class Options:
    """`report`: the folder that gets the report and the history. `rate`: messages a second."""

    minutes: float
    seed: int
    nemeses: tuple[int, ...]
    seconds_each: float
    rate: float
    report: Path
    people: int = 60
    conversations: int = CONVERSATIONS
    passing: int = 8  # People who are only there to lose their sessions for good; an even number.


def parse(arguments: list[str], *, all_nemeses: list[int]) -> Options:
    """Ends the program when something is wrong with them."""
    parser = argparse.ArgumentParser(
        prog="bin/faults",
        description="A campaign: people write to each other while everything fails in turn; then"
        " what they were told is compared with what there is. Exit status 1 when a promise is"
        " broken, or when one of them was not shown: nothing of it was met, or nobody could write.",
        epilog="The seed decides what each tab does at its n-th turn, and when what is hurt. It"
        " does not decide in which order real processes get their turn: a second run with the same"
        " seed meets the same people and faults, not the same instants.",
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long people write: 10")
    parser.add_argument("--seed", type=int, default=1, help="1")
    parser.add_argument("--nemeses", help="numbers such as 1,4,7; without it all of them")
    parser.add_argument("--seconds-each", type=float, default=20.0, help="of one nemesis: 20")
    parser.add_argument(
        "--rate", type=float, default=DEFAULT_RATE, help=f"messages a second: {DEFAULT_RATE:g}"
    )
    parser.add_argument("--report", type=Path, help="a folder; else one under var/faults")
    given = parser.parse_args(arguments)
    nemeses = read_numbers(given.nemeses) if given.nemeses else all_nemeses
    if unknown := [number for number in nemeses if number not in all_nemeses]:
        parser.error(f"there is no nemesis {unknown[0]}: there are {all_nemeses}")
    return Options(
        minutes=given.minutes,
        seed=given.seed,
        nemeses=tuple(nemeses),
        seconds_each=given.seconds_each,
        rate=given.rate,
        report=given.report or REPORTS / f"seed-{given.seed}",
        passing=count_people(given.minutes),
    )


def read_numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise SystemExit("bin/faults: --nemeses takes numbers with commas between.") from None
