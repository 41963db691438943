"""The shop's own cast for the tests that come with messaging."""

pytest_plugins = ["messaging.tests.conversing", "messaging.tests.sockets", "tests.cast"]
