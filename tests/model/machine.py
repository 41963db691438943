"""`bin/faults model`: the machine of `conversing.py` for as many examples as wanted."""

import argparse
import sys

from tests.model import running

TEST = "tests/model/test_machine.py::test_what_everybody_holds_is_what_is_there"
PLANTED = "tests/model/test_machine.py::test_a_planted_bug_is_found"


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    given = ["--examples", str(options.examples), "--steps", str(options.steps)]
    given += ["--database", options.database]
    if options.seed is not None:
        given += [f"--hypothesis-seed={options.seed}"]
    return running.run([PLANTED if options.planted else TEST], given)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/faults model",
        description="Let two people do anything, and compare with a model after every step.",
    )
    parser.add_argument("--examples", type=int, default=2_000)
    parser.add_argument("--steps", type=int, default=12, help="at most, in each example")
    parser.add_argument("--seed", type=int, help="of a run that is to be repeated")
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument(
        "--planted", action="store_true", help="see instead that it finds each planted bug"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
