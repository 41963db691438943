"""Editing and deleting what one has written, over HTTP, and what the other person has of it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from messaging.events import Event
from messaging.models import Block, Conversation, Message
from messaging.tests.browsing import JSON, Page, get_json, post_json, shown_sequences, url
from messaging.tests.conversing import count_holding, say
from messaging.tests.crowd import add_system_message, place_of

ANSWER = {"conversation", "id", "sequence", "revision", "created_at", "duplicate"}
MINUTES = {"edit": 5, "delete": 15}
BODY = {"edit": {"message": "Something else"}, "delete": {}}

each_change = pytest.mark.parametrize("change", ["edit", "delete"])


def change_url(conversation: Conversation, change: str, sequence: object = 1) -> str:
    return url(conversation, f"messages/{sequence}/{change}/")


def edit(client: Client, conversation: Conversation, body: str, sequence: int = 1) -> Any:
    return post_json(client, change_url(conversation, "edit", sequence), message=body)


def delete(client: Client, conversation: Conversation, sequence: int = 1) -> Any:
    return post_json(client, change_url(conversation, "delete", sequence))


def texts(client: Client, conversation: Conversation) -> list[str]:
    results = get_json(client, url(conversation, "messages/")).json()["results"]
    return [message["message"] for message in results]


def state(conversation: Conversation) -> tuple[int, int]:
    conversation.refresh_from_db()
    return conversation.last_sequence, conversation.revision


# --- What it does ---------------------------------------------------------------------------------


def test_an_edit_takes_a_revision_and_nothing_else(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    before = place_of(seller, conversation)
    activity, unread = before.last_activity_at, before.unread_count
    answer = edit(client_of(buyer), conversation, "  Is it still  there, the sideboard?\r\n")
    assert (answer.status_code, set(answer.json())) == (200, ANSWER)
    found = answer.json()
    assert (found["sequence"], found["revision"], found["duplicate"]) == (1, 2, False)
    assert state(conversation) == (1, 2)
    message = get_json(client_of(seller), url(conversation, "messages/")).json()["results"][0]
    assert message["message"] == "Is it still  there, the sideboard?"
    assert (message["revision"], bool(message["edited_at"])) == (2, True)
    assert (message["id"], message["created_at"]) == (found["id"], found["created_at"])
    place = place_of(seller, conversation)
    assert (place.last_activity_at, place.unread_count) == (activity, unread)


def test_a_deleted_message_leaves_its_place_and_no_text(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    answer = delete(client_of(buyer), conversation)
    assert (answer.status_code, set(answer.json())) == (200, ANSWER)
    assert answer.json()["revision"] == 2
    message = get_json(client_of(seller), url(conversation, "messages/")).json()["results"][0]
    assert (message["deleted"], message["message"], message["sequence"]) == (True, "", 1)
    page = client_of(seller).get(url(conversation))
    assert "still there" not in page.content.decode()
    assert shown_sequences(page) == [1]
    assert Message.objects.get().body == ""


@each_change
def test_the_inbox_row_follows(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any, change: str
) -> None:
    post_json(client_of(buyer), change_url(conversation, change), **BODY[change])
    row = get_json(client_of(seller), "/conversations/").json()["results"][0]
    expected = {"edit": "Something else", "delete": ""}
    assert row["last_message"]["message"] == expected[change]
    assert row["last_message"]["username"] == "Ana"
    for query in ("still there", "Is it"):
        assert get_json(client_of(seller), "/conversations/", q=query).json()["results"] == []


def test_the_same_text_is_no_edit(conversation: Conversation, buyer: Any, client_of: Any) -> None:
    ana = client_of(buyer)
    same = edit(ana, conversation, " Is it still there?\n")
    assert (same.status_code, same.json()["revision"], same.json()["duplicate"]) == (200, 1, True)
    assert Message.objects.get().edited_at is None
    first, again = (edit(ana, conversation, "Other words") for _ in range(2))
    assert (first.json()["revision"], first.json()["duplicate"]) == (2, False)
    assert again.json() == {**first.json(), "duplicate": True}
    assert state(conversation) == (1, 2)


def test_to_delete_twice_is_to_delete_once(
    conversation: Conversation, buyer: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    first = delete(ana, conversation)
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
        ana.force_login(buyer)
        again = delete(ana, conversation)
    assert (again.status_code, again.json()) == (200, {**first.json(), "duplicate": True})
    assert state(conversation) == (1, 2)


def test_a_late_retry_of_the_original_is_recognised_by_its_first_words(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    ana, identifier = client_of(buyer), str(uuid4())
    first = {"message": "At nine?", "client_message_id": identifier}
    path = url(conversation, "new_message/")
    stored = post_json(ana, path, **first).json()
    for change, more in (("edit", {"message": "At ten?"}), ("delete", {})):
        post_json(ana, change_url(conversation, change, 2), **more)
        retry = post_json(ana, path, **first)
        assert (retry.status_code, retry.json()) == (200, {**stored, "duplicate": True})
        other = post_json(ana, path, message="At ten?", client_message_id=identifier)
        assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert texts(client_of(seller), conversation) == ["Is it still there?", ""]


# --- Counts ---------------------------------------------------------------------------------------


def test_a_deleted_message_is_no_longer_unread_nor_waited_for(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    second = say(buyer, conversation, "Hello?")
    ana, sol = client_of(buyer), client_of(seller)
    place = place_of(seller, conversation)
    assert place.unread_count == 2
    delete(ana, conversation, 1)
    place = place_of(seller, conversation)
    assert (place.unread_count, place.waiting_since) == (1, second.created_at)
    delete(ana, conversation, 2)
    place = place_of(seller, conversation)
    assert (place.unread_count, place.waiting_since) == (0, None)
    assert get_json(sol, "/seller/").json()["results"] == []


def test_deleting_an_answer_makes_the_other_side_wait_again(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    asked = Message.objects.get().created_at
    say(seller, conversation, "Yes", read_sequence=1)
    assert place_of(seller, conversation).waiting_since is None
    assert place_of(buyer, conversation).unread_count == 1
    delete(client_of(seller), conversation, 2)
    assert place_of(seller, conversation).waiting_since == asked
    ana = place_of(buyer, conversation)
    assert (ana.unread_count, ana.waiting_since) == (0, None)


def test_deleting_what_was_read_counts_nothing_down(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    post_json(client_of(seller), url(conversation, "read/"), sequence=1)
    say(buyer, conversation, "And a second")
    delete(client_of(buyer), conversation, 1)
    assert place_of(seller, conversation).unread_count == 1


# --- Who may, and for how long --------------------------------------------------------------------


@each_change
def test_only_its_author_changes_a_message(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any, change: str
) -> None:
    add_system_message(conversation, "The price has changed.")
    for user, sequence in ((seller, 1), (buyer, 2), (seller, 2)):
        path = change_url(conversation, change, sequence)
        answer = post_json(client_of(user), path, **BODY[change])
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert client_of(user).get(path).status_code == 403
    assert state(conversation) == (2, 2)
    assert texts(client_of(buyer), conversation)[0] == "Is it still there?"


@each_change
@pytest.mark.parametrize("sequence", [0, 2, 2**63 - 1, 2**63, "x", "1.0", "-1", "%00", "１"])
def test_what_is_not_there_is_not_found(
    conversation: Conversation, buyer: Any, client_of: Any, change: str, sequence: Any
) -> None:
    path = change_url(conversation, change, sequence)
    assert post_json(client_of(buyer), path, **BODY[change]).status_code == 404
    assert get_json(client_of(buyer), path).status_code == 404


@each_change
def test_it_is_possible_for_some_minutes(
    conversation: Conversation, buyer: Any, client_of: Any, change: str
) -> None:
    path, created = change_url(conversation, change), Message.objects.get().created_at
    late = created + timedelta(minutes=MINUTES[change], seconds=1)
    with time_machine.travel(late, tick=False):
        answer = post_json(client_of(buyer), path, **BODY[change])
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert "too late" in answer.json()["detail"]
        assert client_of(buyer).get(path).status_code == 403
    with time_machine.travel(late - timedelta(seconds=2), tick=False):
        assert client_of(buyer).get(path).status_code == 200
        assert post_json(client_of(buyer), path, **BODY[change]).status_code == 200


@each_change
def test_the_time_is_a_setting(
    conversation: Conversation, buyer: Any, client_of: Any, settings: LazySettings, change: str
) -> None:
    setattr(settings, f"MESSAGING_{change.upper()}_SECONDS", 0)
    answer = post_json(client_of(buyer), change_url(conversation, change), **BODY[change])
    assert answer.status_code == 403


@pytest.mark.parametrize("how", ["blocked", "blocking", "closed", "alone"])
def test_who_may_not_write_may_not_edit_but_take_back(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any, how: str
) -> None:
    if how == "closed":
        Conversation.objects.update(state="closed")
    elif how == "alone":
        type(seller).objects.filter(pk=seller.pk).update(is_active=False)
    else:
        pair = (seller, buyer) if how == "blocked" else (buyer, seller)
        Block.objects.create(blocker=pair[0], blocked=pair[1])
    ana = client_of(buyer)
    refused = edit(ana, conversation, "Some last words")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert texts(ana, conversation) == ["Is it still there?"]
    assert delete(ana, conversation).status_code == 200
    assert texts(ana, conversation) == [""]


def test_what_is_deleted_cannot_be_edited(
    conversation: Conversation, buyer: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    delete(ana, conversation)
    for body in ("Back again", "Is it still there?"):
        assert edit(ana, conversation, body).status_code == 403
    assert edit(ana, conversation, "").json()["code"] == "empty"
    for change in ("edit", "delete"):
        assert ana.get(change_url(conversation, change)).status_code == 403
    assert texts(ana, conversation) == [""]


# --- Limits and broken bodies ---------------------------------------------------------------------


def test_edits_count_as_sends_and_those_that_change_nothing_do_not(
    conversation: Conversation, buyer: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    for _ in range(12):
        assert edit(ana, conversation, "Is it still there?").status_code == 200
        assert edit(ana, conversation, "x", sequence=7).status_code == 404
    answers = [edit(ana, conversation, f"Attempt {number}") for number in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) == answers[-1].json()["retry_after"] > 0
    refused = post_json(ana, url(conversation, "new_message/"), message="And a message")
    assert refused.status_code == 429
    assert delete(ana, conversation).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "invalid"), ({"message": 7}, "invalid"), ({"message": " \n"}, "empty")]
    + [({"message": "x" * 4001}, "too_long"), ({"message": "\ud800"}, "invalid")],
)
def test_a_text_that_is_none_is_refused(
    conversation: Conversation, buyer: Any, client_of: Any, body: dict[str, Any], code: str
) -> None:
    answer = post_json(client_of(buyer), change_url(conversation, "edit"), **body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert state(conversation) == (1, 1)


def test_the_layer_is_not_in_the_way(
    conversation: Conversation, buyer: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(events: list[Event]) -> None:
        raise ConnectionError

    monkeypatch.setattr("messaging.services.messages.publish", fail)
    assert edit(client_of(buyer), conversation, "Without Redis").status_code == 200


@each_change
def test_the_number_of_queries_is_fixed(
    conversation: Conversation,
    buyer: Any,
    client_of: Any,
    change: str,
    django_assert_num_queries: Any,
) -> None:
    for number in range(30):
        say(buyer, conversation, f"number {number}")
    ana, path = client_of(buyer), change_url(conversation, change, 20)
    ana.get("/health/live/")
    expected = {"edit": 13, "delete": 18}
    with django_assert_num_queries(expected[change] + count_holding()):
        assert post_json(ana, path, **BODY[change]).status_code == 200


# --- Without scripts ------------------------------------------------------------------------------


def test_editing_with_a_form(conversation: Conversation, buyer: Any, client_of: Any) -> None:
    ana, path = client_of(buyer), change_url(conversation, "edit")
    page = Page(ana.get(path))
    assert page.text_fields["message"].strip() == "Is it still there?"
    assert ("form", path) in [(tag, found.get("action")) for tag, found in page.elements]
    answer = ana.post(path, {"message": "Is it there?"})
    assert (answer.status_code, answer.headers["Location"]) == (303, url(conversation))
    assert texts(ana, conversation) == ["Is it there?"]


def test_a_form_that_is_refused_keeps_what_was_typed(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    ana, path = client_of(buyer), change_url(conversation, "edit")
    answer = ana.post(path, {"message": "<b>" * 2000})
    assert answer.status_code == 400
    page = Page(answer)
    assert page.text_fields["message"].strip() == "<b>" * 2000
    assert "too long" in page.text
    Block.objects.create(blocker=seller, blocked=buyer)
    answer = ana.post(path, {"message": "One more thing"})
    assert answer.status_code == 403
    assert Page(answer).text_fields["message"].strip() == "One more thing"


def test_deleting_with_a_form_asks_first(
    conversation: Conversation, buyer: Any, client_of: Any
) -> None:
    ana, path = client_of(buyer), change_url(conversation, "delete")
    page = Page(ana.get(path))
    assert "Is it still there?" in page.text
    assert ("form", path) in [(tag, found.get("action")) for tag, found in page.elements]
    assert state(conversation) == (1, 1)
    answer = ana.post(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, url(conversation))
    assert texts(ana, conversation) == [""]


@each_change
def test_asked_for_as_json_the_page_is_the_message(
    conversation: Conversation, buyer: Any, client_of: Any, change: str
) -> None:
    answer = client_of(buyer).get(change_url(conversation, change), headers={"Accept": JSON})
    message = get_json(client_of(buyer), url(conversation, "messages/")).json()["results"][0]
    assert answer.json() == message
