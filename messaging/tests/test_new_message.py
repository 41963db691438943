"""Sending over HTTP, by form and as JSON."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging import rate_limits
from messaging.models import Block, Conversation, Message
from messaging.tests.browsing import JSON, RECEIPT, Page, post_json, shown_sequences, url
from messaging.tests.crowd import change_place, place_of, record_many


@pytest.fixture
def sol(conversation: Conversation, seller: Any, client_of: Any) -> Client:
    client: Client = client_of(seller)
    return client


@pytest.fixture
def path(conversation: Conversation) -> str:
    return url(conversation, "new_message/")


def have_sent(user: Any, count: int) -> None:
    """Just now, as far as the limits know."""
    rate_limits.forget_all()
    for _ in range(count):
        rate_limits.take_send(user.pk)


def test_a_reply_by_form(sol: Client, path: str, conversation: Conversation, seller: Any) -> None:
    page = Page(sol.get(url(conversation)))
    assert next(iter(page.text_fields)) == "message"  # The composer's comes first.
    form = {name: page.hidden(name) for name in ("client_message_id", "read")}
    response = sol.post(path, {**form, "message": " Yes, it is \r\n"})
    assert (response.status_code, response.headers["Location"]) == (303, url(conversation))
    stored = Message.objects.get(sequence=2)
    assert (stored.body, stored.kind, stored.client_message_id) == (
        "Yes, it is",
        "text",
        UUID(form["client_message_id"]),
    )
    assert (place_of(seller, conversation).read_sequence, page.hidden("read")) == (1, "1")
    assert sol.post(path, {**form, "message": "Yes, it is"}).status_code == 303
    assert Message.objects.count() == 2


def test_json_says_stored_now_stored_before_or_stored_otherwise(sol: Client, path: str) -> None:
    key = str(uuid4())
    now = post_json(sol, path, message="Hello", client_message_id=key)
    again = post_json(sol, path, message="Hello", client_message_id=key)
    other = post_json(sol, path, message="Goodbye", client_message_id=key)
    assert [now.status_code, again.status_code, other.status_code] == [201, 200, 409]
    first = now.json()
    assert set(first) == RECEIPT
    stored = Message.objects.get(pk=first["id"])
    assert first["conversation"] == str(stored.conversation_id)
    assert (first["sequence"], first["revision"], first["duplicate"]) == (2, 2, False)
    assert first["created_at"][:23] == stored.created_at.isoformat()[:23]
    assert first["created_at"].endswith("Z")
    assert again.json() == {**first, "duplicate": True}
    assert set(other.json()) == RECEIPT | {"code", "detail"}
    assert (other.json()["code"], other.json()["id"]) == ("conflict", first["id"])
    assert stored.conversation.revision == 2


def test_the_same_id_is_free_for_the_other_side(
    sol: Client, path: str, buyer: Any, client_of: Any
) -> None:
    key = str(uuid4())
    for client in (sol, client_of(buyer)):
        assert post_json(client, path, message="Hello", client_message_id=key).status_code == 201


def test_the_body_is_read_by_its_type_and_answered_by_what_is_accepted(
    sol: Client, path: str, conversation: Conversation
) -> None:
    body = {"message": "Hello", "client_message_id": str(uuid4())}
    for accept in ("*/*", "text/html", "application/*", ""):
        answer = sol.post(path, body, content_type=JSON, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Location"]) == (303, url(conversation))
    for accept in (JSON, f"text/html, {JSON};q=0.5"):
        answer = sol.post(path, body, headers={"Accept": accept})
        assert (answer.status_code, answer.json()["duplicate"]) == (200, True)


def test_text_is_stored_normalised(sol: Client, path: str) -> None:
    answer = post_json(sol, path, message="  e\u0301\x00\x07a\x85\tb\r\nc\u2028  ")
    assert Message.objects.get(pk=answer.json()["id"]).body == "éa\tb\nc"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"message": ""}, "empty"),
        ({"message": " \n\t\x00 "}, "empty"),
        ({"message": "x" * 4_001}, "too_long"),
        ({"message": "🪑" * 4_001}, "too_long"),
        ({"message": "Hello", "client_message_id": "7"}, "invalid"),
        ({"message": "Hello", "read": "-1"}, "invalid"),
        ({"message": "Hello", "read": str(2**63)}, "invalid"),
        ({"message": "Hello", "read": "1.5"}, "invalid"),
        ({}, "invalid"),
    ],
)
def test_what_cannot_be_sent_comes_back_with_the_thread(
    sol: Client, path: str, body: dict[str, str], code: str
) -> None:
    answer = post_json(sol, path, **body)
    assert answer.status_code == 400
    assert (answer.json()["code"], set(answer.json())) == (code, {"code", "detail"})
    response = sol.post(path, body)
    page = Page(response)
    assert (response.status_code, shown_sequences(response)) == (400, [1])
    assert answer.json()["detail"] in page.text
    assert page.text_fields["message"].strip("\n") == body.get("message", "").strip("\n")
    assert len(page.hidden("client_message_id")) == 36
    assert Message.objects.count() == 1


@pytest.mark.parametrize("field", ["message", "client_message_id", "read"])
@pytest.mark.parametrize("value", [7, 1.5, True, [], ["x"], {"a": 1}])
def test_a_field_of_another_type_is_named(sol: Client, path: str, field: str, value: Any) -> None:
    if field == "read" and value == 7 and value is not True:
        value = -7
    answer = post_json(sol, path, **{"message": "Hello", field: value})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert f"“{field}”" in answer.json()["detail"]
    page = sol.post(path, {"message": "Hello", field: value}, content_type=JSON)
    assert page.status_code == 400
    assert Page(page).text_fields["message"] == ("" if field == "message" else "Hello")


def test_4000_code_points_are_a_message(sol: Client, path: str) -> None:
    assert post_json(sol, path, message="🪑" * 4_000).status_code == 201
    assert sol.post(path, {"message": "\n" + "e\u0301" * 4_000}).status_code == 303
    assert {len(row.body) for row in Message.objects.filter(sequence__gt=1)} == {4_000}


def test_another_text_under_the_same_id_can_be_sent_after_all(sol: Client, path: str) -> None:
    form = {"message": "Hello", "client_message_id": str(uuid4())}
    sol.post(path, form)
    response = sol.post(path, {**form, "message": "Goodbye"})
    page = Page(response)
    assert response.status_code == 409
    assert page.text_fields["message"] == "Goodbye"
    again = {"message": "Goodbye", "client_message_id": page.hidden("client_message_id")}
    assert sol.post(path, again).status_code == 303
    assert Message.objects.get(sequence=3).body == "Goodbye"


# --- Who may not ----------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["blocked by me", "blocked by them", "closed"])
def test_who_may_not_write_is_told_so_and_keeps_the_text(
    sol: Client, path: str, conversation: Conversation, seller: Any, buyer: Any, reason: str
) -> None:
    key = str(uuid4())
    assert post_json(sol, path, message="Hello", client_message_id=key).status_code == 201
    if reason == "closed":
        Conversation.objects.update(state=Conversation.State.CLOSED)
    else:
        pair = (seller, buyer) if reason == "blocked by me" else (buyer, seller)
        Block.objects.create(blocker=pair[0], blocked=pair[1])
    answer = post_json(sol, path, message="And this?")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    response = sol.post(path, {"message": "A text that took an hour"})
    assert (response.status_code, shown_sequences(response)) == (403, [1, 2])
    assert "A text that took an hour" in Page(response).text
    mine = "You have blocked Ana. Neither of you can write to the other."
    assert (mine if reason == "blocked by me" else answer.json()["detail"]) in Page(response).text
    assert Message.objects.count() == 2
    # What is stored is answered all the same, and the thread stays readable.
    assert post_json(sol, path, message="Hello", client_message_id=key).status_code == 200
    assert post_json(sol, path, message="Hallo", client_message_id=key).status_code == 409
    assert sol.get(url(conversation)).status_code == 200


def test_a_password_changed_elsewhere_ends_this_session(
    sol: Client, path: str, seller: Any
) -> None:
    assert post_json(sol, path, message="Hello").status_code == 201
    seller.set_password("another long password")
    seller.save()
    assert post_json(sol, path, message="Hello").status_code == 401
    type(seller).objects.update(is_active=False)
    assert post_json(sol, path, message="Hello").status_code == 401
    assert Message.objects.count() == 2


# --- How much and whether at all ------------------------------------------------------------------


def test_ten_in_five_seconds_and_no_more(sol: Client, path: str, seller: Any) -> None:
    have_sent(seller, 9)
    assert post_json(sol, path, message="Hello").status_code == 201
    answer = post_json(sol, path, message="Hello")
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 1 <= answer.json()["retry_after"] <= 5
    assert answer.headers["Retry-After"] == str(answer.json()["retry_after"])
    page = sol.post(path, {"message": "A text that took an hour"})
    assert (page.status_code, "Retry-After" in page.headers) == (429, True)
    assert Page(page).text_fields["message"] == "A text that took an hour"
    assert Message.objects.count() == 2


def test_what_was_not_stored_does_not_count(sol: Client, path: str, seller: Any) -> None:
    have_sent(seller, 8)
    key = str(uuid4())
    bodies: list[tuple[dict[str, Any], int]] = [
        ({"message": ""}, 400),
        ({"message": "x" * 5_000}, 400),
        ({"message": "Hello", "client_message_id": key}, 201),
        ({"message": "Hello", "client_message_id": key}, 200),
        ({"message": "Other", "client_message_id": key}, 409),
        ({"message": "Hello", "client_message_id": key}, 200),
        ({"message": "The tenth"}, 201),
        ({"message": "The eleventh"}, 429),
    ]
    for body, status in bodies:
        assert post_json(sol, path, **body).status_code == status


def test_the_limit_is_of_one_person(
    sol: Client, path: str, seller: Any, buyer: Any, client_of: Any
) -> None:
    have_sent(seller, 10)
    assert post_json(sol, path, message="Hello").status_code == 429
    assert post_json(client_of(buyer), path, message="Hello").status_code == 201


@pytest.mark.parametrize("failure", [OperationalError("gone"), InterfaceError("closed")])
def test_a_database_that_fails_is_said_so_and_the_text_kept(
    sol: Client, path: str, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(drafts: Any) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr("messaging.services.messages.record", fail)
        answer = post_json(sol, path, message="Hello")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        page = sol.post(path, {"message": "A text", "client_message_id": str(uuid4())})
        assert page.status_code == 503
        assert Page(page).text_fields["message"] == "A text"
    form = {name: Page(page).hidden(name) for name in ("client_message_id", "read")}
    assert sol.post(path, {**form, "message": "A text"}).status_code == 303
    assert Message.objects.count() == 2


# --- What a message does to both places -----------------------------------------------------------


def test_read_moves_as_far_as_the_sender_has_seen(
    sol: Client, path: str, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    record_many(buyer, conversation, ["Two", "Three"])
    assert place_of(seller, conversation).unread_count == 3
    steps: list[tuple[Any, int, int]] = [("2", 2, 1), (None, 2, 1), (1, 2, 1), (2**62, 6, 0)]
    for read, position, unread in steps:
        body = {"message": "Hello"} | ({} if read is None else {"read": read})
        assert post_json(sol, path, **body).status_code == 201
        place = place_of(seller, conversation)
        assert (place.read_sequence, place.unread_count) == (position, unread)


def test_a_message_counts_for_the_other_side_only(
    sol: Client, path: str, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    change_place(buyer, conversation, archived=True)
    change_place(seller, conversation, archived=True)
    sol.post(path, {"message": "Hello"})
    ana, own = place_of(buyer, conversation), place_of(seller, conversation)
    assert (ana.unread_count, ana.archived, own.unread_count, own.archived) == (1, False, 1, True)
    assert (
        ana.last_activity_at == own.last_activity_at == Message.objects.get(sequence=2).created_at
    )
    assert (ana.waiting_since, own.waiting_since) == (ana.last_activity_at, None)


def test_a_send_takes_a_fixed_number_of_queries(
    sol: Client, path: str, conversation: Conversation, buyer: Any, django_assert_num_queries: Any
) -> None:
    record_many(buyer, conversation, ["x"] * 60)
    # Session, person, place. Then `record`, in a savepoint of its own here (2), which asks whether
    # they may: sessions, conversations, participants, retries; insert, heads, places.
    with django_assert_num_queries(12):
        post_json(sol, path, message="Hello", read=20)


def test_who_never_took_part_locks_nothing(
    sol: Client, path: str, client_of: Any, stranger: Any
) -> None:
    """Else how long the refusal takes would say that there is something, and they could hold up
    those who talk there."""
    for client, status, locks in ((sol, 201, True), (client_of(stranger), 404, False)):
        with CaptureQueriesContext(connection) as asked:
            assert post_json(client, path, message="Hello").status_code == status
        statements = " ".join(query["sql"] for query in asked)
        assert ("FOR NO KEY UPDATE" in statements) == (locks and connection.vendor == "postgresql")
        assert ("INSERT" in statements) == locks


def test_names_are_those_of_today(
    sol: Client, path: str, conversation: Conversation, seller: Any
) -> None:
    type(seller).objects.filter(pk=seller.pk).update(display_name="Sol & Sons")
    sol.post(path, {"message": "Hello"})
    assert place_of(seller, conversation).name == "Sol & Sons"
