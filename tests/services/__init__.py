"""A pytest plugin: the real services that the tests run on, ready before Django reads its settings.

For each service the first that there is: a URL in the environment, a program on the PATH, the
program that a wheel in requirements/test.txt brings. A missing one is an error, never a skip.
"""

import gc
import os
from collections.abc import Generator
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest

from marketplace.translations import compile_changed
from tests.services.places import keep_logs, make_run_directory, remove_run_directory
from tests.services.postgresql import PostgresServer, find_binaries
from tests.services.redis import RedisServer, find_binary

ENVIRONMENT = {
    "DEBUG": "0",
    "SECRET_KEY": "only-for-tests-0123456789-0123456789-0123456789-0123456789",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "ALLOWED_ORIGINS": "http://localhost,http://testserver",
    "SITE_URL": "http://localhost",
    "EMAIL_URL": "smtp://127.0.0.1:9",  # pytest-django keeps mails in memory.
}


class Services:
    """What runs for this test run. Started once, stopped when pytest ends."""

    def __init__(self) -> None:
        self.directory: Path | None = None
        self.postgres: PostgresServer | None = None
        self.redis: RedisServer | None = None
        self.lines: list[str] = []

    def start(self, *, sqlite: bool) -> None:
        self.directory = make_run_directory()
        os.environ.update(ENVIRONMENT)
        os.environ["DATA_DIR"] = str(self.directory)
        for name in ("SEND_LIMITS", "HEARTBEAT_SECONDS", "DRAIN_SECONDS"):
            os.environ.pop(name, None)
        self.start_database(self.directory, sqlite=sqlite)
        self.start_redis(self.directory, wheel_first=sqlite)

    def start_database(self, directory: Path, *, sqlite: bool) -> None:
        if sqlite:
            import sqlite3

            os.environ["DATABASE_URL"] = f"sqlite:///{quote(str(directory))}/main.sqlite3"
            self.lines.append(f"SQLite {sqlite3.sqlite_version}")
        elif os.environ.get("DATABASE_URL"):
            self.lines.append(f"DATABASE_URL at {host(os.environ['DATABASE_URL'])}")
        else:
            self.postgres = PostgresServer(directory / "postgres", find_binaries()).make().start()
            os.environ["DATABASE_URL"] = self.postgres.url()
            self.lines.append(self.postgres.description)

    def start_redis(self, directory: Path, *, wheel_first: bool) -> None:
        if os.environ.get("REDIS_URL") and not wheel_first:
            self.lines.append(f"REDIS_URL at {host(os.environ['REDIS_URL'])}")
            return
        binary = find_binary(wheel_first=wheel_first)
        self.redis = RedisServer(directory / "redis", binary).start()
        os.environ["REDIS_URL"] = self.redis.url
        self.lines.append(self.redis.description)

    def stop(self) -> None:
        for service in (self.redis, self.postgres):
            if service is not None:
                service.stop()
        if self.directory is not None:
            keep_logs(self.directory)
            remove_run_directory(self.directory)


def host(url: str) -> str:
    """Without the password."""
    return unquote(urlsplit(url).hostname or "a socket")


services = Services()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["postgresql", "sqlite"],
        default="postgresql",
        help="postgresql (with Redis or Valkey), or sqlite (with Valkey)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config,
) -> Generator[None]:
    """A wrapper, because wrappers come before pytest-django, which loads the settings here."""
    options = early_config.known_args_namespace
    if not (options.help or options.version):
        compile_changed()
        early_config.add_cleanup(services.stop)
        services.start(sqlite=options.database == "sqlite")
    return (yield)


def pytest_collection_finish() -> None:
    """A hundred thousand things that stay until the end: they are not looked through again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"services: {', '.join(services.lines)}")
