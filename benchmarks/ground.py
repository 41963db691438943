"""What measurements run on: a PostgreSQL with fsync on, a Redis, filled databases to copy."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from benchmarks.load.doors import Place
from benchmarks.machine import Cores, pinned
from tests.services import ENVIRONMENT
from tests.services.places import PROJECT
from tests.services.postgresql import PostgresServer, find_binaries
from tests.services.redis import RedisServer, find_binary

KEPT_NAMES = ("PATH", "HOME", "LANG", "TMPDIR")


class Ground:
    """`rooms` conversations of two with `messages` stored in each."""

    def __init__(self, directory: Path, *, rooms: int, messages: int) -> None:
        self.directory, self.rooms, self.messages = directory, rooms, messages
        self.cores = Cores.of_this_machine()
        self.postgres = PostgresServer(directory / "postgres", find_binaries(), durable=True)
        self.redis = RedisServer(directory / "redis", find_binary())
        self.places: dict[str, list[Place]] = {}
        self.numbers: list[int] = []  # Of the contenders' conversations.
        self.vast: dict[str, Any] = {}

    def start(self) -> "Ground":
        with pinned(self.cores.others):
            self.postgres.make().start()
            self.redis.start()
            self._fill_postgresql()
            self._fill_sqlite()
            self._fill_contenders()
            self.postgres.execute("CHECKPOINT")
        return self

    def stop(self) -> None:
        self.redis.stop()
        self.postgres.stop()

    # --- Filling --------------------------------------------------------------------------------

    def _fill_postgresql(self) -> None:
        self.postgres.execute("CREATE DATABASE filled")
        url = self.postgres.url("filled")
        self.run("benchmarks.filling", "prepare", DATABASE_URL=url)
        size = (str(self.rooms), str(self.messages))
        self.places["postgresql"] = read_places(
            self.run("benchmarks.filling", "fill", *size, DATABASE_URL=url)
        )
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")

    def fill_vast(self) -> None:
        """Once, for those who need it: it takes minutes."""
        if not self.vast:
            with pinned(self.cores.others):
                self.postgres.execute("CREATE DATABASE vast")
                url = self.postgres.url("vast")
                self.run("benchmarks.filling", "prepare", DATABASE_URL=url)
                self.vast = json.loads(self.run("benchmarks.vast_filling", DATABASE_URL=url))

    def _fill_sqlite(self) -> None:
        url = f"sqlite:///{quote(str(self.sqlite_template))}"
        self.run("benchmarks.filling", "prepare", DATABASE_URL=url)
        size = (str(self.rooms), str(self.messages))
        self.places["sqlite"] = read_places(
            self.run("benchmarks.filling", "fill", *size, DATABASE_URL=url)
        )

    def _fill_contenders(self) -> None:
        self.postgres.execute("CREATE DATABASE contenders_filled")
        printed = self.run(
            "benchmarks.contenders.filling",
            str(self.rooms),
            DJANGO_SETTINGS_MODULE="benchmarks.contenders.settings",
            **self.contenders_environment("contenders_filled"),
        )
        self.places["contenders"] = read_places(printed)
        self.numbers = [row["id"] for row in json.loads(printed)]

    @property
    def sqlite_template(self) -> Path:
        return self.directory / "filled.sqlite3"

    def run(self, module: str, *arguments: str, **changes: str) -> str:
        """What a module printed. RuntimeError with all it said when it failed."""
        ran = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=PROJECT,
            # As for commands: filling takes longer than a page may.
            env={**self.environment(port=1), "DATABASE_STATEMENT_SECONDS": "0", **changes},
            capture_output=True,
            text=True,
        )
        if ran.returncode:
            raise RuntimeError(ran.stdout + ran.stderr)
        return ran.stdout

    # --- For one run ----------------------------------------------------------------------------

    def copy_database(self, template: str, name: str) -> str:
        """Its URL. An old one of that name goes first."""
        self.drop_database(name)
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with psycopg.connect(self.postgres.url(), autocommit=True) as connection:
            connection.execute(statement)
        return self.postgres.url(name)

    def drop_database(self, name: str) -> None:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with psycopg.connect(self.postgres.url(), autocommit=True) as connection:
            connection.execute(statement)

    def copy_sqlite(self) -> str:
        target = self.directory / "run.sqlite3"
        for old in self.directory.glob("run.sqlite3*"):
            old.unlink()
        shutil.copy(self.sqlite_template, target)
        return f"sqlite:///{quote(str(target))}"

    def empty_redis(self) -> None:
        subprocess.run(
            [sys.executable, "-c", FLUSH, self.redis.url], check=True, capture_output=True
        )

    def environment(self, *, port: int) -> dict[str, str]:
        """Of the marketplace, all but its DATABASE_URL. Limits on sending are off."""
        kept = {name: os.environ[name] for name in KEPT_NAMES if name in os.environ}
        site = f"http://localhost:{port}"
        return {
            **kept,
            **ENVIRONMENT,
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "DATA_DIR": str(self.directory),
            "STATIC_DIR": str(self.directory / "static"),
            "REDIS_URL": self.redis.url,
            "SITE_URL": site,
            "ALLOWED_ORIGINS": site,
            "SEND_LIMITS": "off",
        }

    def contenders_environment(self, database: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT_NAMES if name in os.environ}
        return {
            **kept,
            "CONTENDERS_DATABASE": database,
            "CONTENDERS_DATABASE_HOST": str(self.postgres.socket_directory),
            "CONTENDERS_REDIS": self.redis.url,
        }


FLUSH = "import redis, sys; redis.from_url(sys.argv[1]).flushall()"


def read_places(printed: str) -> list[Place]:
    return [
        Place(str(row["conversation"]), (row["sessions"][0], row["sessions"][1]))
        for row in json.loads(printed)
    ]


def row_of(url: str, statement: str) -> tuple[Any, ...]:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return tuple(row)
