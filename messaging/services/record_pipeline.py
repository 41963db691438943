"""Statements that leave for PostgreSQL together, and whose answers come back together: one way
there and back instead of one each, and for the thread one turn at Python's lock (libpq 14).

PostgreSQL runs them one after the other, each with a snapshot of its own, as if they came alone.
They are parsed and planned once for each connection, unless the project has anything to say about
that: with `OPTIONS["prepare_threshold"]` of its database (docs/adopting.md). Where psycopg prepares
statements too it has the server forget all of them after a ROLLBACK, these with its own.

This is libpq as psycopg gives it (https://www.psycopg.org/psycopg3/docs/api/pq.html). psycopg's own
pipelines look at the network after each statement, which for a batch of a few messages takes longer
than everything else about it.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from importlib import import_module
from itertools import count
from types import SimpleNamespace
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, DataError, connection, connections

from messaging.services.attempts import MISPREPARED

Row: TypeAlias = tuple[Any, ...]
Take: TypeAlias = Callable[[Any], object]  # What is done with an answer.

_numbers = count(1)
# What each connection has prepared: those of a pool are used again.
_prepared: "WeakKeyDictionary[Any, set[bytes]]" = WeakKeyDictionary()


class Statement:
    """One of them. To Django it is a cursor, which it logs and counts as its own."""

    _query: Any = None

    def __init__(self, pipeline: "Pipeline") -> None:
        self._pipeline = pipeline
        self._rows: Sequence[Row] = ()

    def execute(self, query: str, parameters: Sequence[Any] = ()) -> None:
        """It leaves with the others."""
        self.text = _numbered(query)
        self.parameters = [_dump(value) for value in parameters]
        self._query = SimpleNamespace(query=query.encode())  # For Django's log.
        self._pipeline.statements.append(self)

    def take(self, answer: Any) -> None:
        transformer = _psycopg().adapt.Transformer(self._pipeline)
        transformer.set_pgresult(answer)
        self._rows = transformer.load_rows(0, answer.ntuples, tuple)

    def fetchall(self) -> Sequence[Row]:
        return self._rows

    def fetchone(self) -> Row | None:
        return self._rows[0] if self._rows else None


class Pipeline:
    """Of Django's connection. psycopg reads answers for it as for a cursor, by rules of its own and
    not by Django's, which makes each moment in Python."""

    def __init__(self, *, commits: bool) -> None:
        self._django = connections[DEFAULT_DB_ALIAS]  # `connection` looks for it each time.
        # As Django's own cursors do.
        self._django.validate_thread_sharing()
        self._django.validate_no_broken_transaction()
        self.connection: Any = self._django.connection
        self.adapters: Any = _psycopg().adapters
        self.statements: list[Statement] = []
        self._commits = commits
        self._known = _prepared.setdefault(self.connection, set())
        self._preparing: set[bytes] = set()
        options = self._django.settings_dict["OPTIONS"]
        self._prepares = "prepare_threshold" not in options

    def execute(self, query: str, parameters: Sequence[Any]) -> Statement:
        """`%s` stands for a text, a moment or None."""
        statement = Statement(self)
        cursor: Any = statement
        if self._django.queries_logged:
            cursor = self._django.make_debug_cursor(cursor)
        elif self._django.execute_wrappers:
            cursor = self._django.make_cursor(cursor)
        cursor.execute(query, parameters)
        return statement

    def run(self) -> None:
        """Raises the first error of psycopg's that there is; those after it did not run."""
        link = self.connection
        try:
            with link.lock:
                taken = link.wait(self._exchange(link.pgconn))
        except BaseException:
            link.pgconn.finish()  # Nobody knows what is still to come.
            raise
        self.statements = []  # Nothing that goes round in a circle: that takes a collector.
        for take, answer in taken:
            if answer.status == _psycopg().pq.ExecStatus.FATAL_ERROR:
                raise self._fail(answer)
            take(answer)

    def _fail(self, answer: Any) -> Exception:
        """Whoever tries again begins with statements that are prepared anew, on any connection."""
        error: Exception = _psycopg().errors.error_from_result(answer)
        if getattr(error, "sqlstate", None) in MISPREPARED:
            _prepared.clear()
            _name.cache_clear()
            self.connection.close()  # The pool makes another.
        return error

    def _exchange(self, libpq: Any) -> Generator[Any, Any, list[tuple[Take, Any]]]:
        generators = _psycopg().generators
        libpq.enter_pipeline_mode()
        takes = self._send(libpq)
        libpq.pipeline_sync()
        yield from generators.send(libpq)
        taken: list[tuple[Take, Any]] = []
        for take in takes:
            (answer,) = yield from generators.fetch_many(libpq)
            taken.append((take, answer))
        yield from generators.fetch_many(libpq)  # They have all come.
        libpq.exit_pipeline_mode()
        return taken

    def _send(self, libpq: Any) -> list[Take]:
        takes: list[Take] = []
        if libpq.transaction_status == _psycopg().pq.TransactionStatus.IDLE:
            libpq.send_query_params(_begin(self.connection), None)
            takes.append(_ignore)
        for statement in self.statements:
            takes += self._send_one(libpq, statement)
        if self._commits:
            libpq.send_query_params(b"COMMIT", None)
            takes.append(_ignore)
        return takes

    def _send_one(self, libpq: Any, statement: Statement) -> list[Take]:
        if not self._prepares:
            libpq.send_query_params(statement.text, statement.parameters)
            return [statement.take]
        takes: list[Take] = [statement.take]
        name = _name(statement.text)
        if name not in self._known and name not in self._preparing:
            self._preparing.add(name)
            libpq.send_prepare(name, statement.text)
            takes.insert(0, lambda answer: self._known.add(name))
        libpq.send_query_prepared(name, statement.parameters)
        return takes


@contextmanager
def together(*, commits: bool = False) -> Iterator[Pipeline]:
    """In a transaction. What has been executed within may be read after it.

    `commits`: COMMIT leaves with them, and Django's own, which follows, finds nothing to do. When
    one of them fails PostgreSQL does not come to it.
    """
    pipeline = Pipeline(commits=commits)
    with connection.wrap_database_errors:
        yield pipeline
        pipeline.run()


@cache
def _psycopg() -> Any:
    return import_module("psycopg")  # Hosts on SQLite need not have it.


def _begin(link: Any) -> bytes:
    """As psycopg begins transactions; these write, so of what else it could say nothing applies."""
    level = link.isolation_level
    return f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}".encode() if level else b"BEGIN"


@cache
def _numbered(query: str) -> bytes:
    """With $1, $2, … for each %s: they are few, and written in this project."""
    first, *others = query.split("%s")
    return "".join([first, *(f"${n}{part}" for n, part in enumerate(others, 1))]).encode()


@cache
def _name(text: bytes) -> bytes:
    return f"trato_{next(_numbers)}".encode()


def _dump(value: str | datetime | None) -> bytes | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else value.isoformat()
    if "\0" in text:  # It would end there.
        raise DataError("PostgreSQL keeps no text with NUL in it.")
    return text.encode()


def _ignore(answer: Any) -> None:
    pass
