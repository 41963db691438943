"""`bin/faults`: a campaign, or one of the other ways of finding out what breaks."""

import importlib
import os
import sys

COMMANDS = {
    "campaign": ("tests.faults.campaign", "people under every fault in turn (without a command)"),
    "judge": ("tests.faults.judging", "the verdicts of a campaign that is over, once more"),
    "planted": ("tests.faults.planting", "bugs planted on purpose, each of which must be caught"),
    "failpoints": ("tests.faults.failpoints", "processes that die between COMMIT and what follows"),
    "model": ("tests.model.machine", "two people, two tabs each, against one model"),
    "fuzz": ("tests.model.fuzzing", "frames and requests that nobody's client would send"),
    "pressure": ("tests.faults.pressure", "what hostile clients cost, and what slow ones get"),
    "idle": ("tests.faults.idle", "sockets on which nobody says anything for an hour"),
}
HELP = ("-h", "--help")


def main() -> int:
    given = sys.argv[1:]
    if given[:1] and given[0] in HELP:
        print_commands()
    name = given.pop(0) if given[:1] and given[0] in COMMANDS else "campaign"
    # What these say of an installation has nothing to do with the one that is tested.
    for setting in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "DEBUG", "SECRET_KEY"):
        os.environ.pop(setting, None)
    status: int = importlib.import_module(COMMANDS[name][0]).main(given)
    return status


def print_commands() -> None:
    print("bin/faults [command] [options]; each command has --help. Commands:\n")
    for name, (_, what) in COMMANDS.items():
        print(f"  {name:<12}{what}")
    print()


if __name__ == "__main__":
    sys.exit(main())
