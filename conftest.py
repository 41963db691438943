"""Fixtures for every test, wherever it stands. Each module says what it brings."""

pytest_plugins = [
    "messaging.tests.conversing",
    "messaging.tests.sockets",
    "tests.cast",
    "tests.live",
    "tests.surroundings",
]
