"""Statements that leave for PostgreSQL together: what comes back, what fails, what stays."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from threading import Barrier
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, DataError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from messaging.journal import record_safely
from messaging.models import Conversation
from messaging.services.drafts import Draft, Receipt
from messaging.services.messages import send_message
from messaging.services.record_pipeline import Row, together
from messaging.tests.crowd import draft_of

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


@pytest.mark.parametrize("threshold", [0, 5])
def test_none_is_prepared_where_psycopg_prepares(
    threshold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**connection.settings_dict["OPTIONS"], "prepare_threshold": threshold}
    before = list_prepared()
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    assert ask("SELECT %s::int + 816", "1") == [(817,)]
    assert list_prepared() == before


def test_who_has_its_statements_forgotten_prepares_them_again() -> None:
    """As a pool may do with a connection before it gives it to the next one."""
    assert ask("SELECT %s::int + 99", "1") == [(100,)]
    with connection.cursor() as cursor:
        cursor.execute("DISCARD ALL")
    with pytest.raises(DatabaseError, match="does not exist"):
        ask("SELECT %s::int + 99", "1")
    assert ask("SELECT %s::int + 99", "1") == [(100,)]


@pytest.mark.parametrize("door", ["journal", "page"])
def test_a_table_that_was_changed_is_read_as_it_is_now(
    door: str, conversation: Conversation, buyer: Any, settings: Any
) -> None:
    """Beside processes that go on, with a pool whose connections have all prepared."""
    settings.MESSAGING_SEND_LIMITS = []
    barrier = Barrier(4)

    def store(draft: Draft, *, together: bool = False) -> bool:
        """On a connection of its own, if others store at the same time."""
        try:
            if together:
                connection.ensure_connection()
                barrier.wait(timeout=10)
            if door == "page":
                return not send(draft).duplicate
            [outcome] = record_safely([draft]).outcomes
            return isinstance(outcome, Receipt)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        drafts = [draft_of(buyer, conversation) for _ in range(4)]
        assert all(threads.map(partial(store, together=True), drafts))
        change_type("varchar(9)")
        try:
            assert [store(draft_of(buyer, conversation)) for _ in range(8)] == [True] * 8
        finally:
            change_type("varchar(8)")


def send(draft: Draft) -> Receipt:
    return send_message(
        user_id=draft.user_id,
        name=draft.name,
        conversation_id=draft.conversation_id,
        body=draft.body,
        client_message_id=draft.client_message_id,
    )


def change_type(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE messaging_conversation ALTER state TYPE {name}")


def test_a_broken_transaction_takes_nothing_more() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            fail_between()


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
