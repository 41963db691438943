"""The names that searches find a conversation by are those of who takes or took part in it."""

from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation, Participant
from messaging.selectors import searching
from messaging.selectors.inbox import page_conversations, read_filters
from messaging.services.conversations import start_conversation
from messaging.services.drafts import Draft
from messaging.services.erasure import erase_person
from messaging.services.participants import add_participant, leave_conversation
from messaging.services.record import record
from messaging.tests.conversing import draft_of, make_conversation, say
from messaging.tests.crowd import ask

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_but_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL asks them at once; SQLite, which has none, reads."""
    monkeypatch.setattr(searching, "NEWEST_CONVERSATIONS", 0)


def names_of(conversation: Conversation) -> list[str]:
    conversation.refresh_from_db()
    assert conversation.names.endswith("\n")
    return sorted(conversation.names.splitlines())


def find(user: Any, words: str) -> list[Any]:
    page = page_conversations(user=user, filters=read_filters({"q": words}))
    return [row.id for row in page.rows]


def rename(user: Any, name: str) -> None:
    user.display_name = name
    user.save()


def count_statements(drafts: list[Draft]) -> int:
    with CaptureQueriesContext(connection) as asked:
        record(drafts)
    return len(asked)


def test_both_stand_in_a_new_conversation(conversation: Conversation, seller: Any) -> None:
    assert names_of(conversation) == ["Ana", "Sol"]
    assert find(seller, "ana") == [conversation.pk]
    assert find(seller, "sol") == []  # Their own.


# --- Who is called otherwise ----------------------------------------------------------------------


def test_a_message_brings_a_new_name(conversation: Conversation, buyer: Any, seller: Any) -> None:
    rename(buyer, "Quilla")
    assert find(seller, "quilla") == []
    say(buyer, conversation, "It is me")
    assert names_of(conversation) == ["Quilla", "Sol"]
    assert find(seller, "quilla") == [conversation.pk]
    assert find(seller, "ana") == []
    assert find(buyer, "quilla") == []


def test_a_new_name_may_be_a_part_of_the_old_one(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    for name in ("Quilla Mamani", "Quilla"):
        rename(buyer, name)
        say(buyer, conversation, "It is me")
    assert names_of(conversation) == ["Quilla", "Sol"]


def test_of_two_new_names_in_a_batch_the_last_one_stays(
    conversation: Conversation, buyer: Any
) -> None:
    record([draft_of(buyer, conversation, "Hello", name=name) for name in ("Quilla", "Queta")])
    assert names_of(conversation) == ["Queta", "Sol"]


@pytest.mark.parametrize("size", [1, 20])
def test_new_names_take_one_statement_more(
    size: int, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    rows = [conversation, make_conversation(buyer, seller)]

    def drafts() -> list[Draft]:
        return [draft_of(buyer, row, "Hello") for row in rows for _ in range(size)]

    usual = count_statements(drafts())
    rename(buyer, "Quilla")
    assert count_statements(drafts()) == usual + 1
    assert count_statements(drafts()) == usual
    assert [names_of(row) for row in rows] == [["Quilla", "Sol"]] * 2


# --- Who comes and goes ---------------------------------------------------------------------------


def test_whoever_is_put_in_is_found(
    conversation: Conversation, seller: Any, stranger: Any, staff: Any
) -> None:
    assert find(seller, "teo") == []
    add_participant(
        conversation_id=conversation.pk, user_id=stranger.pk, role="buyer", added_by=staff
    )
    assert names_of(conversation) == ["Ana", "Sol", "Teo"]
    assert find(seller, "teo") == [conversation.pk]
    leave_conversation(user_id=stranger.pk, conversation_id=conversation.pk)
    assert find(seller, "teo") == [conversation.pk]  # What they said is still there, too.
    assert find(stranger, "ana") == []


def test_whoever_comes_back_is_found_by_the_name_of_today(
    conversation: Conversation, listing: Any, buyer: Any, seller: Any
) -> None:
    leave_conversation(user_id=buyer.pk, conversation_id=conversation.pk)
    rename(buyer, "Quilla")
    start_conversation(listing=listing, buyer=buyer, body="Me again", client_message_id=uuid4())
    assert names_of(conversation) == ["Quilla", "Sol"]
    assert find(seller, "quilla") == [conversation.pk]


def test_whoever_is_erased_is_not_found(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    erase_person(user=buyer)
    assert names_of(conversation) == ["", "Sol"]
    assert find(seller, "ana") == []


# --- Beside processes of the release before, which write no names ---------------------------------


def test_what_has_no_names_yet_is_looked_into(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    others = make_conversation(buyer, seller)
    Conversation.objects.filter(pk=conversation.pk).update(names="")
    assert find(seller, "ana") == [others.pk, conversation.pk]
    assert find(seller, "quilla") == find(seller, "sol") == []
    say(seller, conversation, "Yes")
    assert names_of(conversation) == ["Ana", "Sol"]


def test_a_name_that_was_written_without_the_others_comes_with_the_next_message(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    rename(buyer, "Quilla")
    Participant.objects.filter(user=buyer).update(name="Quilla")
    say(buyer, conversation, "It is me")
    assert names_of(conversation) == ["Quilla", "Sol"]
    assert find(seller, "quilla") == [conversation.pk]


# --- What it costs --------------------------------------------------------------------------------


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has nothing of the kind.")
def test_a_message_writes_no_index_of_its_conversation(listing: Any, buyer: Any) -> None:
    """What PostgreSQL calls HOT, for which no column may change that an index has. A name does."""
    none = count_updates()
    conversation = ask(listing, buyer)
    assert count_updates() - none == Counter(all=1, hot=1)
    say(buyer, conversation, "Hello")
    assert count_updates() - none == Counter(all=2, hot=2)
    rename(buyer, "Quilla")
    say(buyer, conversation, "It is me")
    assert count_updates() - none == Counter(all=4, hot=3)


def count_updates() -> Counter[str]:
    """Of conversations in this transaction: all, and those that left the indexes alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables"
            " WHERE relname = 'messaging_conversation'"
        )
        return Counter(dict(zip(("all", "hot"), cursor.fetchone(), strict=True)))
