"""The inbox, filtered and searched; and what needs a reply, the longest waiting first."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Conversation, Message
from messaging.tests.browsing import get_json, shown_conversations
from messaging.tests.conversing import say
from messaging.tests.crowd import (
    add_system_message,
    ask,
    change_place,
    make_conversations,
    make_listing,
)

PATH = "/conversations/"


def ids(response: Any) -> list[str]:
    assert response.status_code == 200
    return [row["conversation"] for row in response.json()["results"]]


def keys(*conversations: Conversation) -> list[str]:
    return [str(conversation.pk) for conversation in conversations]


@pytest.fixture
def sol(seller: Any, client_of: Any) -> Client:
    client: Client = client_of(seller)
    return client


@pytest.fixture
def three(seller: Any) -> list[Conversation]:
    """Oldest first; Sol sells in each."""
    return make_conversations(seller, 3)


def test_by_role(sol: Client, conversation: Conversation, seller: Any, buyer: Any) -> None:
    own = ask(make_listing(buyer, "Brass lamp"), seller)
    assert ids(get_json(sol, PATH)) == keys(own, conversation)
    assert ids(get_json(sol, PATH, role="seller")) == keys(conversation)
    assert ids(get_json(sol, PATH, role="buyer")) == keys(own)
    assert ids(get_json(sol, PATH, role="")) == keys(own, conversation)


def test_by_listing(sol: Client, three: list[Conversation]) -> None:
    assert ids(get_json(sol, PATH, listing="chair-number-1")) == keys(three[1])
    assert ids(get_json(sol, PATH, listing="chair-number-9")) == []


def test_by_state(sol: Client, three: list[Conversation], seller: Any) -> None:
    first, second, third = three
    change_place(seller, first, unread_count=0, starred=True)
    change_place(seller, second, archived=True)
    assert ids(get_json(sol, PATH)) == keys(third, first)
    assert ids(get_json(sol, PATH, state="unread")) == keys(third)
    assert ids(get_json(sol, PATH, state="starred")) == keys(first)
    assert ids(get_json(sol, PATH, state="archived")) == keys(second)
    assert ids(get_json(sol, PATH, state="starred", listing="chair-number-2")) == []


def test_who_needs_a_reply_the_longest_waiting_first(
    sol: Client, three: list[Conversation], seller: Any, buyer: Any
) -> None:
    first, second, third = three
    own = ask(make_listing(buyer, "Brass lamp"), seller)
    say(buyer, own, "Your turn")  # Sol is the buyer here: nobody waits for the seller Sol.
    assert ids(get_json(sol, PATH, state="needs_reply")) == keys(first, second, third)
    say(first.buyer, first, "Hello?")  # Asking again does not put one last.
    assert ids(get_json(sol, PATH, state="needs_reply")) == keys(first, second, third)
    say(seller, first, "Yes")
    add_system_message(second, "Now reserved")  # No person's answer.
    assert ids(get_json(sol, PATH, state="needs_reply")) == keys(second, third)
    say(first.buyer, first, "Thanks")
    assert ids(get_json(sol, PATH, state="needs_reply")) == keys(second, third, first)
    assert shown_conversations(sol.get(PATH, {"state": "needs_reply"})) == keys(
        second, third, first
    )


def test_search_by_person_listing_and_text(
    sol: Client, three: list[Conversation], seller: Any
) -> None:
    say(seller, three[0], "It is 50% off_today")
    searches = {
        "buyer1": [1],
        "NUMBER 2": [2],
        "chair 0 still": [0],
        "50% off_": [0],
        "%": [0],
        "_": [0],
        "\\": [],
        "'; --": [],
        "chair": [0, 2, 1],
        " chair ": [0, 2, 1],
        "Sol": [],  # One's own name is in all of them.
    }
    for words, found in searches.items():
        assert ids(get_json(sol, PATH, q=words)) == keys(*(three[index] for index in found)), words


def test_what_was_deleted_is_not_found(sol: Client, three: list[Conversation]) -> None:
    assert len(ids(get_json(sol, PATH, q="chair 1 still"))) == 1
    Message.objects.update(deleted_at=timezone.now())
    assert ids(get_json(sol, PATH, q="chair 1 still")) == []


@pytest.mark.parametrize(
    "query",
    [
        {"role": "admin"},
        {"role": "Buyer"},
        {"state": "new"},
        {"state": "all"},
        {"q": "a\x00b"},
        {"listing": "\x00"},
        {"role": "\x00"},
        {"q": "x" * 201},
        {"q": "x" * 60_000},
    ],
    ids=range(9),
)
def test_a_filter_that_is_none_is_refused(
    sol: Client, conversation: Conversation, query: dict[str, str]
) -> None:
    answer = get_json(sol, PATH, **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert sol.get(PATH, query).status_code == 400


@pytest.mark.parametrize(
    "query", ["q=%FF%FE", "q=%ED%A0%80", "q=%F0%9F%AA%91", "x=1", "q=" + "x" * 200]
)
def test_odd_words_are_looked_for(sol: Client, conversation: Conversation, query: str) -> None:
    assert get_json(sol, f"{PATH}?{query}").status_code == 200
    assert sol.get(f"{PATH}?{query}").status_code == 200
