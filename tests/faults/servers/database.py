"""The PostgreSQL of a campaign: durable, killed whole, and started again however often it takes."""

import asyncio
import contextlib
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.servers.processes import signal_family
from tests.services.postgresql import PostgresServer

DATABASE = "trato"
# What was killed may leave its lock file and its shared memory behind for a moment.
SECONDS_TO_REVIVE = 30


@dataclass
class Database(PostgresServer):
    """`kill` ends the postmaster and all its children at the same time."""

    durable: bool = True

    @property
    def direct_url(self) -> str:
        return self.url(DATABASE)

    @property
    def socket(self) -> Path:
        return self.socket_directory / ".s.PGSQL.5432"

    def make_database(self) -> None:
        self.execute(f"CREATE DATABASE {DATABASE}")

    def kill(self) -> None:
        assert self.process is not None
        signal_family(self.process.pid, signal.SIGKILL)
        self.process.wait()

    async def become_ready(self) -> None:
        """Launched before. RuntimeError when it does not answer in time, however often started."""
        deadline = time.monotonic() + SECONDS_TO_REVIVE
        while not await asyncio.to_thread(self.answers):
            assert self.process is not None
            if self.process.poll() is not None:
                await asyncio.sleep(0.3)
                self.launch()
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start: see {self.directory}")
            await asyncio.sleep(0.05)

    async def count_connections(self) -> int:
        """Those of the stack, as PostgreSQL sees them; this one is not counted."""
        return await self.ask(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    async def end_backends(self, count: int) -> int:
        """`pg_terminate_backend` for so many at random; how many there were."""
        return await self.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            f" ORDER BY random() LIMIT {count:d}) AS chosen"
        )

    async def ask(self, query: str) -> int:
        """One number. psycopg.Error while it is away."""
        rows = await self.rows(query)
        return int(rows[0][0])

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with await self.connect() as connection:
            return await (await connection.execute(query.encode())).fetchall()

    async def run(self, *statements: str) -> None:
        async with await self.connect() as connection:
            for statement in statements:
                await connection.execute(statement.encode())

    async def connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            self.direct_url, autocommit=True, connect_timeout=3
        )

    @property
    def log(self) -> Path:
        return self.directory / "postgresql.log"

    def log_size(self) -> int:
        return self.log.stat().st_size

    def count_logged(self, text: str, *, since: int) -> int:
        """How many lines of its log have this, from a size of it on."""
        with self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(since)
            return sum(text in line for line in log)

    async def try_to_run(self, *statements: str) -> None:
        """Each by itself; those that fail fail."""
        for statement in statements:
            with contextlib.suppress(psycopg.Error):
                await self.run(statement)
