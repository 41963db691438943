"""`bin/faults fuzz`: frames for the sockets and requests for the pages that nobody should send."""

import argparse
import random
import sys

from tests.model import running

FRAMES = "tests/model/test_frames.py::test_every_frame_gets_its_one_answer"
REQUESTS = "tests/model/test_requests.py::test_every_request_gets_an_answer"


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    seed = random.randrange(2**31) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    given = ["--seed", str(seed), "--database", options.database]
    tests = []
    if options.frames:
        given += ["--frames", str(options.frames)]
        tests.append(FRAMES)
    if options.requests:
        given += ["--requests", str(options.requests)]
        tests.append(REQUESTS)
    return running.run(tests, given) if tests else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/faults fuzz",
        description="Throw frames at a socket and requests at every page, and judge the answers.",
    )
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, help="of a run that is to be repeated")
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
