"""The seller's dashboard: who waits for an answer comes first."""

from typing import Any

import pytest
from django.test import Client

from messaging.models import Conversation
from messaging.tests.browsing import get_json, shown_conversations
from messaging.tests.conversing import say
from messaging.tests.crowd import ask, change_place, make_conversations, make_listing

PATH = "/seller/"


@pytest.fixture
def sol(seller: Any, client_of: Any) -> Client:
    client: Client = client_of(seller)
    return client


@pytest.fixture
def three(seller: Any) -> list[Conversation]:
    return make_conversations(seller, 3)


def shown(sol: Client, **query: str) -> list[str]:
    """The ids of the rows; the page and JSON show the same."""
    page = shown_conversations(sol.get(PATH, query))
    answer = get_json(sol, PATH, **query).json()
    assert page == [row["conversation"] for row in answer["results"]]
    return page


def keys(*conversations: Conversation) -> list[str]:
    return [str(conversation.pk) for conversation in conversations]


def test_the_longest_waiting_first_and_the_answered_gone(
    sol: Client, three: list[Conversation], seller: Any
) -> None:
    first, second, third = three
    assert shown(sol) == keys(first, second, third)
    say(seller, second, "Yes")
    assert shown(sol) == keys(first, third)
    assert shown(sol, state="needs_reply") == keys(first, third)


def test_only_what_one_sells(
    sol: Client, three: list[Conversation], seller: Any, buyer: Any
) -> None:
    bought = ask(make_listing(buyer, "Brass lamp"), seller)
    say(buyer, bought, "Yes")
    assert str(bought.pk) not in shown(sol) + shown(sol, state="all")
    assert str(bought.pk) not in shown(sol, state="all", role="buyer")
    assert len(shown(sol, state="all")) == 3


def test_the_tabs(sol: Client, three: list[Conversation], seller: Any) -> None:
    first, second, third = three
    change_place(seller, first, starred=True)
    change_place(seller, second, archived=True)
    say(seller, third, "Yes")
    change_place(seller, third, unread_count=0)
    page = sol.get(PATH)
    tabs = {tab["label"]: tab for tab in page.context["tabs"]}
    found = {label: shown_conversations(sol.get(tab["url"])) for label, tab in tabs.items()}
    assert found == {
        "Needs reply": keys(first),
        "Unread": keys(first),
        "All": keys(third, first),
        "Starred": keys(first),
        "Archived": keys(second),
    }
    assert [label for label, tab in tabs.items() if tab["current"]] == ["Needs reply"]
    assert (tabs["Needs reply"]["count"], page.context["figures"]) == (1, {"waiting": 1})


def test_listing_and_search_narrow_it(sol: Client, three: list[Conversation]) -> None:
    assert shown(sol, listing="chair-number-1") == keys(three[1])
    assert shown(sol, q="Buyer2") == keys(three[2])
    assert shown(sol, q="nothing like it") == []


def test_an_empty_state_is_the_usual_one(sol: Client, seller: Any) -> None:
    made = make_conversations(seller, 27)
    assert shown(sol, state="") == keys(*made[:25])
    following = sol.get(sol.get(PATH, {"state": ""}).context["next_url"])
    assert shown_conversations(following) == keys(*made[25:])


def test_pages_of_25_stay_put_while_people_ask(
    sol: Client, seller: Any, buyer: Any, listing: Any
) -> None:
    made = make_conversations(seller, 30)
    first = get_json(sol, PATH).json()
    say(seller, made[3], "Yes")
    say(made[27].buyer, made[27], "Hello?")
    new = ask(listing, buyer)
    second = get_json(sol, PATH, cursor=first["next"]).json()
    assert [row["conversation"] for row in first["results"]] == keys(*made[:25])
    assert [row["conversation"] for row in second["results"]] == keys(*made[25:], new)
    assert second["next"] is None


@pytest.mark.parametrize("query", [{"state": "new"}, {"cursor": "x"}, {"q": "\x00"}])
def test_what_is_none_is_refused(sol: Client, query: dict[str, str]) -> None:
    assert sol.get(PATH, query).status_code == 400
    answer = get_json(sol, PATH, **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_nobody_waits(sol: Client) -> None:
    assert "Everyone has an answer" in sol.get(PATH).content.decode()
    assert get_json(sol, PATH).json() == {"results": [], "next": None}


@pytest.mark.parametrize("count", [1, 30])
def test_it_takes_a_fixed_number_of_queries(
    count: int, sol: Client, seller: Any, django_assert_num_queries: Any
) -> None:
    make_conversations(seller, count)
    # Session, person; rows with their conversations, their participants, listings, last messages;
    # who waits, for the tab and the figures, and the unread conversations for the header.
    with django_assert_num_queries(8):
        sol.get(PATH)
    # Without what only the page shows.
    with django_assert_num_queries(6):
        get_json(sol, PATH)
