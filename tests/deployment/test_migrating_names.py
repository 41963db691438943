"""The names in conversations are written while the processes of the release before go on."""

import threading
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from accounts.models import User
from messaging.models import Conversation, Participant
from messaging.tests.conversing import make_conversation

pytestmark = pytest.mark.django_db(transaction=True)

WITHOUT, EMPTY = "0005_search", "0006_names"
writing: Any = import_module("messaging.migrations.0007_search_names")
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture(autouse=True)
def migrated_at_the_end() -> Iterator[None]:
    yield
    migrate()


@pytest.fixture
def many(buyer: User, seller: User, monkeypatch: pytest.MonkeyPatch) -> list[Conversation]:
    """More than are written at once."""
    monkeypatch.setattr(writing, "BATCH", 2)
    return [make_conversation(buyer, seller) for _ in range(5)]


def migrate(target: str = "") -> None:
    call_command("migrate", "messaging", *([target] if target else []), verbosity=0)


def read_names() -> list[list[str]]:
    """Of each conversation, oldest first."""
    rows = Conversation.objects.order_by("pk").values_list("names", flat=True)
    return [sorted(names.splitlines()) for names in rows]


def list_indexes() -> set[str]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Conversation._meta.db_table)
    return {name for name, about in found.items() if about["index"]}


def test_all_names_are_written(many: list[Conversation], buyer: User, stranger: User) -> None:
    many[1].participants.create(user=stranger, role="buyer", name="Teo")
    many[2].participants.filter(user=buyer).update(user=None, name="")
    many[3].participants.all().delete()
    migrate(WITHOUT)
    assert "conversation_unnamed" not in list_indexes()
    migrate()
    usual = ["Ana", "Sol"]
    assert read_names() == [usual, [*usual, "Teo"], ["", "Sol"], [""], usual]
    assert not Conversation.objects.filter(names="").exists()
    expected = {"conversation_unnamed"}
    if connection.vendor == "postgresql":
        expected.add("conversation_names")
    assert expected <= list_indexes()


def test_a_process_of_the_release_before_opens_conversations(
    conversation: Conversation, stranger: User
) -> None:
    """It names the columns that it knows."""
    columns = {str(field.column) for field in Conversation._meta.local_concrete_fields}
    known = ", ".join(map(connection.ops.quote_name, columns - {"id", "buyer_id", "names"}))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO messaging_conversation (id, buyer_id, {known})"
            f" SELECT %s, %s, {known} FROM messaging_conversation",
            [uuid4().hex, stranger.pk],
        )
    assert Conversation.objects.get(buyer=stranger).names == ""


def test_what_was_ended_in_the_middle_is_gone_on_with(
    many: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(EMPTY)
    assert read_names() == [[]] * 5
    change_some, left = writing.change_some, iter(range(1))

    def change_once(*arguments: Any) -> Any:
        next(left)
        return change_some(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "change_some", change_once)
        with pytest.raises(StopIteration):
            migrate()
    assert read_names() == [["Ana", "Sol"]] * 2 + [[]] * 3
    Conversation.objects.filter(pk=many[0].pk).update(names="Of this release\n")
    migrate()
    assert read_names() == [["Of this release"]] + [["Ana", "Sol"]] * 4


def test_going_back_and_forth_writes_them_anew(many: list[Conversation]) -> None:
    """After a time in which processes of an older release have changed names."""
    Conversation.objects.update(names="Quilla\n")
    migrate(EMPTY)
    migrate()
    assert read_names() == [["Ana", "Sol"]] * 5


@pytest.mark.skipif(connection.vendor != "postgresql", reason="One writer at a time.")
def test_a_name_that_is_being_changed_is_waited_for(many: list[Conversation], buyer: User) -> None:
    """By a process of the release before, which writes it with the place alone."""
    migrate(EMPTY)
    migrating = threading.Thread(target=migrate_beside)
    with transaction.atomic():
        Conversation.objects.select_for_update(no_key=True).get(pk=many[3].pk)
        Participant.objects.filter(conversation=many[3], user=buyer).update(name="Quilla")
        migrating.start()
        wait_until_somebody_waits()
    migrating.join(20)
    assert read_names()[3] == ["Quilla", "Sol"]


def migrate_beside() -> None:
    migrate()
    connections.close_all()


def wait_until_somebody_waits() -> None:
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    pytest.fail("Nobody waits.")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such indexes.")
def test_indexes_that_could_not_be_had_before_are_made() -> None:
    """As the doctor says: back by one and forth again, while people write."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX message_words, conversation_names")
    migrate(EMPTY)
    migrate()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('message_words'), to_regclass('conversation_names')")
        assert None not in cursor.fetchone()
