"""A release is migrated while the processes of the release before go on."""

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import User
from messaging.models import Conversation, Participant
from tests.deployment.environment import complete, run
from tests.services.places import PROJECT

pytestmark = pytest.mark.django_db(transaction=True)

INDEXES = ("conversation_closed", "conversation_title")
BEFORE_THEM = "0003_participant_changes"
SHOW = """
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    print(cursor.fetchone()[0])
"""


@pytest.fixture
def before() -> Iterator[None]:
    call_command("migrate", "messaging", BEFORE_THEM, verbosity=0)
    yield
    call_command("migrate", "messaging", verbosity=0)


def list_indexes() -> set[str]:
    """Those that the database uses."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT relname FROM pg_class JOIN pg_index ON oid = indexrelid WHERE indisvalid"
            )
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        return {row[0] for row in cursor.fetchall()} & set(INDEXES)


def expected_indexes() -> set[str]:
    return set(INDEXES) if connection.vendor == "postgresql" else {INDEXES[0]}


def test_indexes_are_made_while_others_write(before: None) -> None:
    assert list_indexes() == set()
    said: list[str] = []

    def note(execute: Any, statement: str, *others: Any) -> Any:
        said.append(statement)
        return execute(statement, *others)

    with connection.execute_wrapper(note):
        call_command("migrate", "messaging", verbosity=0)
    made = [statement for statement in said if " INDEX " in statement.upper()]
    assert len(made) >= 2
    if connection.vendor == "postgresql":
        assert all("CONCURRENTLY" in statement for statement in made)
    assert list_indexes() == expected_indexes()


def test_what_was_ended_in_the_middle_is_repeated(before: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX conversation_closed ON messaging_conversation (created_at)")
        if connection.vendor == "postgresql":
            cursor.execute(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'conversation_closed'"
                "::regclass"
            )
            assert list_indexes() == set()
    call_command("migrate", "messaging", verbosity=0)
    assert list_indexes() == expected_indexes()


@pytest.mark.parametrize("column", ["removed", "changes"])
def test_a_process_of_the_release_before_goes_on_writing(
    column: str, conversation: Conversation, stranger: User
) -> None:
    """It names the columns that it knows."""
    fields = {str(field.column) for field in Participant._meta.local_concrete_fields}
    known = ", ".join(connection.ops.quote_name(name) for name in fields - {column, "id"})
    values = known.replace('"user_id"', str(stranger.pk))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO messaging_participant ({known})"
            f" SELECT {values} FROM messaging_participant LIMIT 1"
        )
    assert not getattr(Participant.objects.get(user=stranger), column)


def test_commands_take_their_time_and_pages_do_not(tmp_path: Any) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLITE: it has no limit on statements, so there is nothing to lift")
    environment = complete(tmp_path, DATABASE_URL=os.environ["DATABASE_URL"]) | {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "PYTHONPATH": str(PROJECT),
    }
    web = run(sys.executable, "-c", SHOW, environment=environment)
    assert web.stdout.strip() == "10s", web.stderr
    script = SHOW.replace("import django\ndjango.setup()\n", "")
    command = run(
        sys.executable, "manage.py", "shell", "--no-imports", "-c", script, environment=environment
    )
    assert command.stdout.strip() == "0", command.stderr
