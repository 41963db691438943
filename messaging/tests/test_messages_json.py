"""`messages/`: what changed since a revision, and what came before a message."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Conversation, Message
from messaging.services.participants import leave_conversation
from messaging.services.reading import mark_read
from messaging.tests.browsing import get_json, url
from messaging.tests.conversing import say
from messaging.tests.crowd import add_system_message, record_many

FRAME = {"type", "conversation", "id", "sequence", "revision", "message", "username", "sender"} | {
    "kind",
    "created_at",
    "edited_at",
    "deleted",
}


@pytest.fixture
def sol(conversation: Conversation, seller: Any, client_of: Any) -> Client:
    client: Client = client_of(seller)
    return client


@pytest.fixture
def path(conversation: Conversation) -> str:
    return url(conversation, "messages/")


def edit(message_sequence: int, body: str, **fields: Any) -> Message:
    """As an edit does: the next revision, and the moment."""
    message = Message.objects.get(sequence=message_sequence)
    message.conversation.revision += 1
    message.conversation.save()
    message.revision, message.body = message.conversation.revision, body
    for name, value in {"edited_at": timezone.now(), **fields}.items():
        setattr(message, name, value)
    message.save()
    return message


def test_a_message_has_the_fields_of_its_frame(
    sol: Client, path: str, conversation: Conversation, seller: Any, buyer: Any, client_of: Any
) -> None:
    key = uuid4()
    receipt = say(seller, conversation, "Yes <b>it</b> is 🪑", client_message_id=key)
    frame = get_json(sol, path, after=1).json()["results"][0]
    assert frame == {
        "type": "chat_message",
        "conversation": str(conversation.pk),
        "id": receipt.id,
        "sequence": 2,
        "revision": 2,
        "message": "Yes <b>it</b> is 🪑",
        "username": "Sol",
        "sender": {"id": seller.pk, "role": "seller"},
        "kind": "text",
        "created_at": receipt.as_dict()["created_at"],
        "edited_at": None,
        "deleted": False,
        "client_message_id": str(key),
    }
    theirs = get_json(client_of(buyer), path, after=1).json()["results"][0]
    assert set(theirs) == FRAME
    frame.pop("client_message_id")
    assert theirs == frame


@pytest.mark.parametrize("query", ["after=0", "before=99", ""])
def test_only_the_sender_sees_the_clients_id(sol: Client, path: str, query: str) -> None:
    answer = get_json(sol, f"{path}?{query}").json()
    assert [set(frame) for frame in answer["results"]] == [FRAME]


def test_it_is_json_for_everybody(sol: Client, path: str) -> None:
    for accept in ("*/*", "text/html", "application/json"):
        response = sol.get(path, headers={"Accept": accept})
        assert response.headers["Content-Type"] == "application/json"


def test_changes_come_in_pages_of_200(
    sol: Client, path: str, conversation: Conversation, buyer: Any
) -> None:
    record_many(buyer, conversation, [f"{number}" for number in range(2, 452)])
    pages: list[list[int]] = []
    after: int | None = 0
    while after is not None:
        answer: dict[str, Any] = get_json(sol, path, after=after).json()
        assert set(answer) == {"results", "next", "user", "participants"}
        pages.append([frame["revision"] for frame in answer["results"]])
        after = answer["next"]
    assert [len(page) for page in pages] == [200, 200, 51]
    assert [revision for page in pages for revision in page] == list(range(1, 452))


def test_a_change_comes_once_in_its_latest_state(
    sol: Client, path: str, conversation: Conversation, buyer: Any
) -> None:
    say(buyer, conversation, "Two")
    say(buyer, conversation, "Three")
    edit(1, "One, mended")
    edit(2, "", deleted_at=timezone.now())

    def changes(after: int) -> list[tuple[str, int, int, str]]:
        answer = get_json(sol, path, after=after).json()
        assert answer["next"] is None
        return [
            (frame["type"], frame["revision"], frame["sequence"], frame["message"])
            for frame in answer["results"]
        ]

    assert changes(0) == [
        ("chat_message", 3, 3, "Three"),
        ("chat_message", 4, 1, "One, mended"),
        ("chat_message", 5, 2, ""),
    ]
    assert changes(1) == [
        ("chat_message", 3, 3, "Three"),
        ("message_changed", 4, 1, "One, mended"),
        ("chat_message", 5, 2, ""),
    ]
    assert changes(4) == [("message_changed", 5, 2, "")]


@pytest.mark.parametrize("after", [1, 2, 10**9, 2**63 - 1])
def test_beyond_the_head_there_is_nothing(sol: Client, path: str, after: int) -> None:
    answer = get_json(sol, path, after=after).json()
    assert (answer["results"], answer["next"]) == ([], None)


def test_changes_say_who_asks_and_how_far_each_has_read(
    sol: Client, path: str, conversation: Conversation, seller: Any, buyer: Any, client_of: Any
) -> None:
    mark_read(user_id=seller.pk, conversation_id=conversation.pk, sequence=1)
    answers = [get_json(client, path, after=0).json() for client in (sol, client_of(buyer))]
    assert [answer["user"] for answer in answers] == [seller.pk, buyer.pk]
    assert answers[0]["participants"] == answers[1]["participants"]
    told = {each["id"]: each for each in answers[0]["participants"]}
    assert told[seller.pk] == {
        "id": seller.pk,
        "username": "Sol",
        "role": "seller",
        "read_sequence": 1,
    }
    leave_conversation(user_id=buyer.pk, conversation_id=conversation.pk)
    [left] = get_json(sol, path, after=0).json()["participants"]
    assert left["id"] == seller.pk


def test_older_messages_come_in_pages_of_50(
    sol: Client, path: str, conversation: Conversation, buyer: Any
) -> None:
    record_many(buyer, conversation, [f"{number}" for number in range(2, 102)])
    newest = get_json(sol, path).json()
    assert ([frame["sequence"] for frame in newest["results"]], newest["next"]) == (
        list(range(52, 102)),
        52,
    )
    older = get_json(sol, path, before=52).json()
    assert ([frame["sequence"] for frame in older["results"]], older["next"]) == (
        list(range(2, 52)),
        2,
    )
    oldest = get_json(sol, path, before=2).json()
    assert ([frame["sequence"] for frame in oldest["results"]], oldest["next"]) == ([1], None)
    assert get_json(sol, path, before=1).json() == {"results": [], "next": None}
    assert get_json(sol, path, before=2**63 - 1).json() == newest
    exactly = get_json(sol, path, before=51).json()
    assert (len(exactly["results"]), exactly["next"]) == (50, None)


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize("value", ["x", "-1", "1.5", "1e3", "0x1", " 1", str(2**63), "9" * 5_000])
def test_a_number_that_is_none_is_refused(sol: Client, path: str, name: str, value: str) -> None:
    answer = get_json(sol, path, **{name: value})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert f"“{name}”" in answer.json()["detail"]


def test_what_the_listing_does_is_a_change_like_any_other(
    sol: Client, path: str, conversation: Conversation
) -> None:
    add_system_message(conversation, "Now reserved")
    [frame] = get_json(sol, path, after=1).json()["results"]
    assert (frame["kind"], frame["message"], frame["sequence"]) == ("system", "Now reserved", 2)
    assert (frame["sender"], frame["username"]) == ({"id": None, "role": None}, "")


@pytest.mark.parametrize("count", [1, 30])
@pytest.mark.parametrize(("query", "queries"), [("after=0", 6), ("before=99", 5), ("", 5)])
def test_it_takes_a_fixed_number_of_queries(
    count: int,
    query: str,
    queries: int,
    sol: Client,
    path: str,
    conversation: Conversation,
    buyer: Any,
    django_assert_num_queries: Any,
) -> None:
    record_many(buyer, conversation, ["x"] * (count - 1) or ["x"])
    # Session, person, the door, messages, their senders; and the head, for changes.
    with django_assert_num_queries(queries):
        get_json(sol, f"{path}?{query}")
