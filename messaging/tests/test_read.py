"""Read positions over HTTP."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Conversation, Message
from messaging.tests.browsing import JSON, Page, post_json, url
from messaging.tests.conversing import count_holding, say
from messaging.tests.crowd import add_system_message, place_of, record_many


@pytest.fixture
def sol(conversation: Conversation, seller: Any, client_of: Any) -> Client:
    client: Client = client_of(seller)
    return client


@pytest.fixture
def path(conversation: Conversation) -> str:
    return url(conversation, "read/")


def test_the_button_marks_all_as_read(
    sol: Client, path: str, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    say(buyer, conversation, "Two")
    page = Page(sol.get(url(conversation)))
    assert any(attributes.get("action") == path for tag, attributes in page.elements)
    response = sol.post(path, {"sequence": page.hidden("sequence")})
    assert (response.status_code, response.headers["Location"]) == (303, url(conversation))
    place = place_of(seller, conversation)
    assert (place.read_sequence, place.unread_count) == (2, 0)


def test_it_moves_forward_and_never_back_nor_past_the_head(
    sol: Client, path: str, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    record_many(buyer, conversation, ["Two", "Three", "Four"])
    steps = [(0, 0, 4), (2, 2, 2), (1, 2, 2), (0, 2, 2), (3, 3, 1), (2**63 - 1, 4, 0), (1, 4, 0)]
    for sequence, position, unread in steps:
        answer = post_json(sol, path, sequence=sequence)
        assert (answer.status_code, answer.json()) == (
            200,
            {"conversation": str(conversation.pk), "sequence": position},
        )
        place = place_of(seller, conversation)
        assert (place.read_sequence, place.unread_count) == (position, unread)
    assert place_of(buyer, conversation).read_sequence == 0


def test_a_position_past_the_head_does_not_cover_what_comes(
    sol: Client, path: str, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    post_json(sol, path, sequence=99)
    say(buyer, conversation, "Two")
    assert place_of(seller, conversation).unread_count == 1


def test_only_what_others_said_counts(
    sol: Client, path: str, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    say(seller, conversation, "Two, my own")
    add_system_message(conversation, "Three, nobody's")
    say(buyer, conversation, "Four, taken back")
    say(buyer, conversation, "Five")
    Message.objects.filter(sequence=4).update(deleted_at=timezone.now())
    for sequence, unread in [(1, 1), (3, 1), (4, 1), (5, 0)]:
        post_json(sol, path, sequence=sequence)
        assert place_of(seller, conversation).unread_count == unread


def test_what_a_gone_account_said_still_counts(
    sol: Client, path: str, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    say(buyer, conversation, "Two")
    buyer.delete()
    post_json(sol, path, sequence=1)
    assert place_of(seller, conversation).unread_count == 1


@pytest.mark.parametrize(
    "sequence",
    [None, "", "x", "-1", -1, 1.0, 1.5, True, [1], {"a": 1}, 2**63, "9" * 5_000, "1 "],
    ids=lambda value: repr(value)[:9],
)
def test_a_sequence_that_is_none_is_refused(
    sol: Client, path: str, sequence: Any, conversation: Conversation, seller: Any
) -> None:
    answer = post_json(sol, path, sequence=sequence)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "“sequence”" in answer.json()["detail"]
    assert post_json(sol, path).status_code == 400
    page = sol.post(path, {"sequence": sequence}, content_type=JSON)
    assert (page.status_code, "“sequence”" in Page(page).text) == (400, True)
    assert place_of(seller, conversation).read_sequence == 0


def test_who_was_blocked_may_still_read(
    sol: Client, path: str, conversation: Conversation, seller: Any
) -> None:
    Conversation.objects.update(state=Conversation.State.CLOSED)
    assert post_json(sol, path, sequence=1).json()["sequence"] == 1


@pytest.mark.parametrize("count", [1, 30])
def test_it_takes_a_fixed_number_of_queries(
    count: int,
    sol: Client,
    path: str,
    conversation: Conversation,
    buyer: Any,
    django_assert_num_queries: Any,
) -> None:
    record_many(buyer, conversation, ["x"] * count)
    # Session, person, the door. In a savepoint here (2): the conversation's lock, participants,
    # the count, the new position.
    with django_assert_num_queries(10 + count_holding()):
        post_json(sol, path, sequence=count)
