"""Fixtures for every test, wherever it stands. Each module says what it brings."""

from pathlib import Path

import pytest

pytest_plugins = [
    "messaging.tests.conversing",
    "messaging.tests.sockets",
    "tests.cast",
    "tests.live",
    "tests.surroundings",
]

SLOW, FOLDER = ("browser", "processes"), Path(__file__).parent / "tests"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`bin/test` looks for them there only: elsewhere they would never run."""
    for item in items:
        if any(map(item.get_closest_marker, SLOW)) and FOLDER not in item.path.parents:
            raise pytest.UsageError(f"{item.nodeid}: browsers and processes belong into tests/.")
