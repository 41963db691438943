"""A search reads what is newest and asks the indexes for the rest: both find the same."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client

from messaging.models import Conversation, Participant
from messaging.selectors import searching
from messaging.services.names import write_names
from messaging.tests.browsing import get_json
from messaging.tests.conversing import say
from messaging.tests.crowd import change_place, make_conversations

PATH = "/conversations/"
COUNT = 30


@pytest.fixture
def sol(seller: Any, client_of: Any) -> Client:
    client: Client = client_of(seller)
    return client


@pytest.fixture
def many(seller: Any) -> list[Conversation]:
    """In every third there is something about rhubarb."""
    made = make_conversations(seller, COUNT)
    for number, conversation in enumerate(made):
        say(seller, conversation, "It has RHUBARB on it" if number % 3 == 0 else "It is green")
    return made


def search(client: Client, words: str, **query: str) -> list[list[str]]:
    """The pages."""
    pages, cursor = [], ""
    while True:
        answer = get_json(client, PATH, q=words, cursor=cursor, **query).json()
        pages.append([row["conversation"] for row in answer["results"]])
        cursor = answer["next"]
        if not cursor:
            return pages


def rhubarb(many: list[Conversation]) -> list[str]:
    return [str(row.pk) for number, row in reversed(list(enumerate(many))) if number % 3 == 0]


@pytest.mark.parametrize("newest", [0, 1, 4, COUNT, 500])
@pytest.mark.parametrize("messages", [0, 7, 20_000])
def test_however_much_is_read_the_same_is_found(
    newest: int, messages: int, sol: Client, many: list[Conversation], monkeypatch: Any
) -> None:
    monkeypatch.setattr(searching, "NEWEST_CONVERSATIONS", newest)
    monkeypatch.setattr(searching, "NEWEST_MESSAGES", messages)
    assert search(sol, "rhubarb") == [rhubarb(many)]
    assert search(sol, "zeppelin") == [[]]
    everything = [str(row.pk) for row in reversed(many)]
    assert search(sol, "it ") == [everything[:25], everything[25:]]


@pytest.mark.parametrize("newest", [0, 500])
def test_one_finds_ones_own_conversations_only(
    newest: int, many: list[Conversation], stranger: Any, client_of: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(searching, "NEWEST_CONVERSATIONS", newest)
    assert search(client_of(stranger), "rhubarb") == [[]]


@pytest.mark.parametrize("newest", [0, 500])
def test_the_other_persons_name_and_not_ones_own(
    newest: int, sol: Client, seller: Any, many: list[Conversation], monkeypatch: Any
) -> None:
    monkeypatch.setattr(searching, "NEWEST_CONVERSATIONS", newest)
    call_quilla(Participant.objects.filter(user=seller))
    assert search(sol, "quilla") == [[]]
    other = Participant.objects.filter(conversation=many[7]).exclude(user=seller)
    call_quilla(other)
    assert search(sol, "quilla") == [[str(many[7].pk)]]
    other.update(user=None)  # Gone for good, and the name is still there.
    assert search(sol, "quilla") == [[str(many[7].pk)]]


def call_quilla(places: QuerySet[Participant]) -> None:
    places.update(name="Quilla")
    write_names(places.values_list("conversation", flat=True))


@pytest.mark.parametrize("newest", [0, 500])
def test_a_filter_holds_in_a_search(
    newest: int, sol: Client, seller: Any, many: list[Conversation], monkeypatch: Any
) -> None:
    monkeypatch.setattr(searching, "NEWEST_CONVERSATIONS", newest)
    change_place(seller, many[3], starred=True)
    assert search(sol, "rhubarb", state="starred") == [[str(many[3].pk)]]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such index.")
@pytest.mark.django_db
def test_words_are_looked_up_in_indexes(seller: Any) -> None:
    """Of three letters or more: shorter ones have no trigram."""
    rows = Participant.objects.filter(user=seller)
    plan = explain(searching._ask_indexes(rows, "rhubarb", seller))
    for index in ("message_words", "conversation_words"):
        assert f"Bitmap Index Scan on {index}" in plan, plan
    assert "Seq Scan" not in plan, plan


def explain(rows: Any) -> str:
    """What the planner would do if the tables were large."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return str(rows.explain())
