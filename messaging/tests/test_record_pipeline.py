"""Statements that leave for PostgreSQL together: what comes back, what fails, what stays."""

import uuid
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, DataError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from messaging.services.record_pipeline import Row, together

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no pipelines."),
]

KEY = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")
MOMENT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def ask(query: str, *parameters: Any) -> list[Row]:
    with transaction.atomic(), together() as pipeline:
        statement = pipeline.execute(query, parameters)
    return list(statement.fetchall())


def list_prepared() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements")
        return [name for (name,) in cursor.fetchall()]


def test_each_gets_its_own_rows() -> None:
    with transaction.atomic(), together() as pipeline:
        one = pipeline.execute("SELECT %s::int + 1", ["1"])
        none = pipeline.execute("SELECT 1 WHERE false", [])
        many = pipeline.execute("SELECT * FROM generate_series(1, %s::int)", ["3"])
    assert (one.fetchone(), none.fetchone()) == ((2,), None)
    assert many.fetchall() == [(1,), (2,), (3,)]


def test_values_come_back_as_django_gives_them() -> None:
    query = """SELECT %s::uuid, %s::timestamptz, %s::text, NULL::text, true, %s::bytea,
    ARRAY['a', 'b'], 2::bigint"""
    given: list[Any] = [KEY.hex, MOMENT, 'Ä "quoted" \\ 🪑 %s', "\\x00ff"]
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        expected = cursor.fetchone()
    assert ask(query, *given) == [expected]
    assert expected[:2] == (KEY, MOMENT)


def test_more_than_fits_into_the_network() -> None:
    """Both ways at the same time: nobody waits for the other to read first."""
    long = "x" * 3_000_000
    with transaction.atomic(), together() as pipeline:
        statements = [pipeline.execute("SELECT %s::text", [long]) for _ in range(5)]
    assert [statement.fetchone() for statement in statements] == [(long,)] * 5


def test_a_text_does_not_end_at_nul() -> None:
    with pytest.raises(DataError):
        ask("SELECT %s::text", "before\0after")
    assert ask("SELECT %s::text", "whole") == [("whole",)]


def test_what_fails_is_an_error_of_djangos_and_the_rest_does_not_run() -> None:
    with CaptureQueriesContext(connection) as queries, pytest.raises(DatabaseError) as raised:
        fail_between()
    assert isinstance(raised.value.__cause__, psycopg.errors.DivisionByZero)
    assert [query["sql"] for query in queries if "SELECT" in query["sql"]] == [
        *("SELECT 'before'", "SELECT 1 / %s::int", "SELECT 'after'"),
    ]
    # And again, though of the first some were prepared and some were not.
    with pytest.raises(DatabaseError, match="division by zero"):
        fail_between()
    assert ask("SELECT 'after'") == [("after",)]
    assert len(list_prepared()) == len(set(list_prepared()))


def fail_between() -> None:
    with transaction.atomic(), together() as pipeline:
        pipeline.execute("SELECT 'before'", [])
        pipeline.execute("SELECT 1 / %s::int", ["0"])
        pipeline.execute("SELECT 'after'", [])


def test_each_is_prepared_once_for_a_connection() -> None:
    query = "SELECT %s::int + 4711"
    assert [ask(query, "1"), ask(query, "2")] == [[(4712,)], [(4713,)]]
    before = list_prepared()
    ask(query, "3")
    assert list_prepared() == before
    connection.close()
    assert ask(query, "4") == [(4715,)]


def test_none_is_prepared_where_the_project_has_it_so(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {**connection.settings_dict["OPTIONS"], "prepare_threshold": None}
    before = list_prepared()
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    assert ask("SELECT %s::int + 815", "1") == [(816,)]
    assert list_prepared() == before


def test_a_lost_connection_is_given_up() -> None:
    with pytest.raises(OperationalError):
        ask("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
    assert ask("SELECT 1") == [(1,)]


def test_wrappers_of_the_projects_see_each() -> None:
    seen: list[str] = []

    def watch(execute: Any, sql: str, *arguments: Any) -> Any:
        seen.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(watch):
        assert ask("SELECT %s::int", "5") == [(5,)]
    assert seen == ["SELECT %s::int"]


def test_the_level_of_isolation_is_the_projects(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    link: Any = connection.connection
    shown = "SELECT current_setting('transaction_isolation')"
    assert ask(shown) == [("read committed",)]
    monkeypatch.setattr(link, "_isolation_level", psycopg.IsolationLevel.REPEATABLE_READ)
    monkeypatch.setattr(link, "_begin_statement", b"")
    assert ask(shown) == [("repeatable read",)]
