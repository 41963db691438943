"""Statements that leave for PostgreSQL together, and whose answers come back together: one way
there and back instead of one each, and for the thread one turn at Python's lock (libpq 14).

PostgreSQL runs them one after the other, each with a snapshot of its own, as if they came alone.
They are parsed and planned once for each connection, unless the project says otherwise: with
`OPTIONS["prepare_threshold"]` of its database (docs/adopting.md, for poolers that cannot have it).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.db import connection


@contextmanager
def together(*, commits: bool = False) -> Iterator[None]:
    """In a transaction. Cursors that were executed within may be read after it.

    `commits`: COMMIT leaves with them, and Django's own, which follows, finds nothing to do. When
    one of them fails PostgreSQL does not come to it.
    """
    link: Any = connection.connection
    threshold = link.prepare_threshold
    if "prepare_threshold" not in connection.settings_dict["OPTIONS"]:
        link.prepare_threshold = 0  # For these alone: the pool gives this connection to others.
    try:
        with connection.wrap_database_errors, link.pipeline():
            yield
            if commits:
                link.commit()
    finally:
        link.prepare_threshold = threshold


def execute(statement: str, parameters: Sequence[Any]) -> Any:
    """The cursor, with Django around it as around its own: it logs and counts what is asked."""
    link: Any = connection.connection
    wrap: Any = (
        connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    )
    cursor = wrap(_cursor_class()(link))
    cursor.execute(statement, parameters)
    return cursor


@cache
def _cursor_class() -> Any:
    psycopg = import_module("psycopg")  # Hosts on SQLite need not have it.
    kind = psycopg.postgres.types["timestamptz"].oid
    moments = psycopg.adapters.get_loader(kind, psycopg.pq.Format.TEXT)

    class Cursor(psycopg.Cursor):  # type: ignore[misc, name-defined]
        _query: Any

        def __init__(self, link: Any) -> None:
            """Django reads each moment in Python; psycopg's own way is C and gives the same, in the
            time zone of the connection, which Django has set to UTC."""
            super().__init__(link)
            self.adapters.register_loader("timestamptz", moments)

        def execute(self, query: str, *arguments: Any, **options: Any) -> Any:
            """What was asked is known only with its answer, and Django's log asks for it now."""
            super().execute(query, *arguments, **options)
            if self._query is None:
                self._query = SimpleNamespace(query=query.encode())
            return self

    return Cursor
