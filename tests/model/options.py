"""How long the runs of this folder are. Given to pytest by the commands, absent in `bin/test`."""

import pytest

NAMES = ("examples", "frames", "requests", "seed", "steps")


def pytest_addoption(parser: pytest.Parser) -> None:
    for name in NAMES:
        parser.addoption(f"--{name}", type=int, default=None)


def read(config: pytest.Config, name: str, default: int | None = None) -> int | None:
    """What was asked for, or the short form's number."""
    given: int | None = config.getoption(name, None)
    return default if given is None else given
