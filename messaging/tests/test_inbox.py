"""The inbox: newest activity first, in pages that stay put, filtered and searched."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from messaging import presence
from messaging.models import Conversation, Message
from messaging.selectors import conversations
from messaging.templatetags import messaging as messaging_tags
from messaging.tests.browsing import get_json, shown_conversations, url
from messaging.tests.conversing import say
from messaging.tests.crowd import (
    add_system_message,
    ask,
    change_place,
    make_conversations,
)

PATH = "/conversations/"
BAD_CURSORS = [
    "x",
    "====",
    "\x00",
    "é",
    "5" * 10_000,
    *(
        base64.urlsafe_b64encode(text.encode()).decode()
        for text in (
            "[]",
            "7",
            "null",
            '["2024-01-01T00:00:00+00:00"]',
            '["2024-01-01T00:00:00+00:00", 1, 2]',
            '["2024-01-01T00:00:00", 1]',
            '["2024-13-41T00:00:00+00:00", 1]',
            '["0001-01-01T00:00:00+14:00", 1]',
            '["9999-12-31T23:59:59-14:00", 1]',
            '["2024-01-01T00:00:00+00:00", -1]',
            '["2024-01-01T00:00:00+00:00", 9223372036854775808]',
            '["2024-01-01T00:00:00+00:00", Infinity]',
            '["2024-01-01T00:00:00+00:00", NaN]',
            '["2024-01-01T00:00:00+00:00", 1e999]',
            '["2024-01-01T00:00:00+00:00", "x"]',
            '["2024-01-01T00:00:00+00:00", null]',
            "[7, 1]",
            '["\\ud800", 1]',
            "[" * 5_000,
            "9" * 5_000,
        )
    ),
]


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


# --- Rows -----------------------------------------------------------------------------------------


def test_a_row_has_these_fields_and_no_others(
    sol: Client, conversation: Conversation, buyer: Any, listing: Any
) -> None:
    presence.mark_online([buyer.pk])
    answer = get_json(sol, PATH).json()
    moment = Message.objects.get().created_at.isoformat(timespec="milliseconds")[:23] + "Z"
    assert answer == {
        "results": [
            {
                "conversation": str(conversation.pk),
                "listing": {
                    "title": "Walnut sideboard",
                    "url": "/listings/walnut-sideboard/",
                    "thumbnail": "",
                    "price": listing.price_label,
                    "state": "available",
                },
                "other": {"id": buyer.pk, "username": "Ana", "online": True},
                "role": "seller",
                "last_message": {
                    "message": "Is it still there?",
                    "username": "Ana",
                    "created_at": moment,
                },
                "unread": 1,
                "waiting_since": moment,
                "archived": False,
                "starred": False,
                "muted": False,
            }
        ],
        "next": None,
    }


def test_both_sides_have_their_own_row(
    sol: Client, conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    reply = say(seller, conversation, "Yes")
    change_place(buyer, conversation, starred=True, muted=True)
    [row] = get_json(client_of(buyer), PATH).json()["results"]
    assert (row["role"], row["unread"], row["starred"], row["muted"]) == ("buyer", 1, True, True)
    assert row["other"] == {"id": seller.pk, "username": "Sol", "online": False}
    assert row["waiting_since"] == reply.as_dict()["created_at"]
    [theirs] = get_json(sol, PATH).json()["results"]
    assert (theirs["waiting_since"], theirs["starred"], theirs["unread"]) == (None, False, 1)


def test_the_last_message_may_be_deleted_or_nobodys(
    sol: Client, conversation: Conversation, buyer: Any
) -> None:
    Message.objects.update(deleted_at=timezone.now())
    last = get_json(sol, PATH).json()["results"][0]["last_message"]
    assert (last["message"], last["username"]) == ("", "Ana")
    assert "This message was deleted" in sol.get(PATH).content.decode()
    add_system_message(conversation, "Now reserved")
    last = get_json(sol, PATH).json()["results"][0]["last_message"]
    assert (last["message"], last["username"]) == ("Now reserved", "")


def test_the_page_shows_the_same_rows(sol: Client, three: list[Conversation]) -> None:
    assert shown_conversations(sol.get(PATH)) == ids(get_json(sol, PATH)) == keys(*three[::-1])
    page = sol.get(PATH).content.decode()
    assert "Is chair 2 still there?" in page
    assert "Chair number 2" in page


def test_nobody_has_written_yet(client_of: Any, stranger: Any) -> None:
    assert get_json(client_of(stranger), PATH).json() == {"results": [], "next": None}
    assert "No conversations yet" in client_of(stranger).get(PATH).content.decode()


# --- Order and pages ------------------------------------------------------------------------------


def test_newest_activity_comes_first(sol: Client, three: list[Conversation], seller: Any) -> None:
    first, second, third = three
    assert ids(get_json(sol, PATH)) == keys(third, second, first)
    say(seller, first, "Yes")
    assert ids(get_json(sol, PATH)) == keys(first, third, second)


def test_pages_of_25_stay_put_while_messages_arrive(
    sol: Client, seller: Any, buyer: Any, listing: Any
) -> None:
    made = make_conversations(seller, 60)
    first = get_json(sol, PATH)
    assert ids(first) == keys(*made[:34:-1])
    # Two move up, from the page that was read and from one that was not; one is new.
    say(seller, made[50], "Yes")
    say(seller, made[20], "Yes")
    ask(listing, buyer)
    second = get_json(sol, PATH, cursor=first.json()["next"])
    third = get_json(sol, PATH, cursor=second.json()["next"])
    assert (len(ids(second)), third.json()["next"]) == (25, None)
    rest = [row for row in reversed(made[:35]) if row.pk != made[20].pk]
    assert ids(second) + ids(third) == keys(*rest)


def test_a_page_leads_to_the_next_with_its_filters(sol: Client, seller: Any) -> None:
    made = make_conversations(seller, 26)
    page = sol.get(PATH, {"role": "seller", "q": "chair"})
    assert shown_conversations(page) == keys(*made[:0:-1])
    following = sol.get(page.context["next_url"])
    assert shown_conversations(following) == keys(made[0])
    assert (following.context["next_url"], following.context["filters"]["q"]) == ("", "chair")


def test_exactly_a_page_has_no_next(sol: Client, seller: Any) -> None:
    make_conversations(seller, 25)
    assert get_json(sol, PATH).json()["next"] is None


@pytest.mark.parametrize("state", ["", "needs_reply"])
def test_rows_of_the_same_moment_are_neither_lost_nor_doubled(
    sol: Client, seller: Any, state: str
) -> None:
    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False):
        made = make_conversations(seller, 30)
        sol.force_login(seller)
        first = get_json(sol, PATH, state=state)
        second = get_json(sol, PATH, state=state, cursor=first.json()["next"])
    order = made if state == "needs_reply" else made[::-1]
    assert ids(first) + ids(second) == keys(*order)


@pytest.mark.parametrize("cursor", BAD_CURSORS, ids=range(len(BAD_CURSORS)))
@pytest.mark.parametrize("state", ["", "needs_reply"])
def test_a_cursor_that_is_none_is_refused(
    sol: Client, conversation: Conversation, cursor: str, state: str
) -> None:
    answer = get_json(sol, PATH, cursor=cursor, state=state)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert sol.get(PATH, {"cursor": cursor, "state": state}).status_code == 400


def test_who_left_has_no_row(sol: Client, three: list[Conversation], seller: Any) -> None:
    change_place(seller, three[1], left_at=timezone.now())
    assert ids(get_json(sol, PATH)) == keys(three[2], three[0])


def test_the_count_of_unread_conversations_is_on_every_page(
    sol: Client, three: list[Conversation], seller: Any
) -> None:
    change_place(seller, three[0], unread_count=0)
    change_place(seller, three[1], unread_count=7)
    for path in (PATH, "/seller/", "/", url(three[0])):
        assert sol.get(path).context["unread_conversations"] == 2
    change_place(seller, three[1], archived=True)
    assert sol.get(PATH).context["unread_conversations"] == 1


@pytest.mark.parametrize("count", [1, 30])
def test_it_takes_a_fixed_number_of_queries(
    count: int, sol: Client, seller: Any, django_assert_num_queries: Any
) -> None:
    made = make_conversations(seller, count)
    for conversation in made:
        say(seller, conversation, "Yes")
    # Session, person; rows with their conversations, their participants, listings, last messages.
    for query in ({}, {"state": "unread"}, {"listing": "chair-number-0"}):
        with django_assert_num_queries(6):
            get_json(sol, PATH, **query)
    # What is newest, and what of it has the words.
    with django_assert_num_queries(8):
        get_json(sol, PATH, q="chair")
    # The page also counts the unread conversations, for its tab and for the header.
    with django_assert_num_queries(8):
        sol.get(PATH)


def test_a_long_wait_is_said(sol: Client, seller: Any) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=26)):
        make_conversations(seller, 1)
    assert "26 h" in sol.get("/seller/").content.decode()


@pytest.mark.parametrize(("most", "shown"), [(5, "5"), (4, "4+")])
def test_those_who_wait_are_counted_up_to_a_limit(
    most: int, shown: str, sol: Client, seller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (conversations, messaging_tags):
        monkeypatch.setattr(module, "MOST_COUNTED", most)
    make_conversations(seller, 5)
    assert f"<dd>{shown}</dd>" in sol.get("/seller/").content.decode()
