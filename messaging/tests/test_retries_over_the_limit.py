"""Who is over the limit gets what is stored answered all the same, at every door."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from messaging import journal, rate_limits
from messaging.exceptions import Unavailable
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.services import retries
from messaging.services.drafts import Draft, Recorded
from messaging.services.participants import leave_conversation
from messaging.services.record import record
from messaging.services.retries import find_outcome
from messaging.tests.browsing import post_json, url
from messaging.tests.crowd import make_conversations
from messaging.tests.sockets import Sockets


@pytest.fixture(autouse=True)
def two_a_minute(settings: Any) -> None:
    settings.MESSAGING_SEND_LIMITS = [(2, 60.0)]
    rate_limits.forget_all()


def send(client: Client, path: str, message: str, key: str) -> Any:
    return post_json(client, path, message=message, client_message_id=key)


def test_over_http(conversation: Conversation, buyer: Any, client_of: Any) -> None:
    rate_limits.forget_all()
    ana, path = client_of(buyer), url(conversation, "new_message/")
    keys = [str(uuid4()) for _ in range(2)]
    first, second = (send(ana, path, f"message {key}", key) for key in keys)
    assert (first.status_code, second.status_code) == (201, 201)
    assert send(ana, path, "one too many", str(uuid4())).status_code == 429
    again = send(ana, path, f"message {keys[1]}", keys[1])
    assert (again.status_code, again.json()) == (200, {**second.json(), "duplicate": True})
    other = send(ana, path, "other words", keys[1])
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert other.json()["sequence"] == second.json()["sequence"]
    assert Message.objects.count() == 3


def test_from_the_page_of_a_listing(listing: Any, buyer: Any, client_of: Any) -> None:
    ana, path, key = client_of(buyer), f"/listings/{listing.slug}/conversation/", str(uuid4())
    first = send(ana, path, "Is it still there?", key)
    assert send(ana, path, "And the price?", str(uuid4())).status_code == 201
    assert send(ana, path, "one too many", str(uuid4())).status_code == 429
    again = send(ana, path, "Is it still there?", key)
    assert (again.status_code, again.json()) == (200, {**first.json(), "duplicate": True})
    assert Message.objects.count() == 2


def test_somebody_elses_id_is_nobodys(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    rate_limits.forget_all()
    path, key = url(conversation, "new_message/"), str(uuid4())
    assert send(client_of(buyer), path, "mine", key).status_code == 201
    for number in range(2):
        assert send(client_of(seller), path, f"{number}", str(uuid4())).status_code == 201
    assert send(client_of(seller), path, "mine", key).status_code == 429


def test_within_the_limit_nothing_is_looked_up(
    conversation: Conversation, buyer: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only who is over it costs a query more."""
    looked_up: list[str] = []

    def note(draft: Draft) -> Any:
        looked_up.append(draft.body)
        return find_outcome(draft)

    monkeypatch.setattr(retries, "find_outcome", note)
    rate_limits.forget_all()
    ana, path, key = client_of(buyer), url(conversation, "new_message/"), str(uuid4())
    for message, identifier in (("once", key), ("once", key), ("twice", str(uuid4()))):
        assert send(ana, path, message, identifier).status_code in (200, 201)
    assert looked_up == []
    assert send(ana, path, "once", key).status_code == 200
    assert looked_up == ["once"]


async def test_over_a_socket(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    rate_limits.forget_all()
    sol = await sockets.room(seller, conversation.pk)
    ana, inbox = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)
    keys = [str(uuid4()) for _ in range(3)]
    for key in keys:
        await ana.send(message=f"message {key}", client_message_id=key)
    await ana.send(message=f"message {keys[0]}", client_message_id=keys[0])
    await ana.send(message="without an id")
    await ana.send(message="other words", client_message_id=keys[1])
    await ana.send(type="ping")
    answers = [await ana.receive() for _ in range(7)]
    kinds = ["ack", "ack", "error", "ack", "error", "error", "pong"]
    assert [answer["type"] for answer in answers] == kinds
    assert answers[3] == {**answers[0], "duplicate": True}
    codes = [answer.get("code") for answer in answers if answer["type"] == "error"]
    assert codes == ["rate_limited", "rate_limited", "conflict"]
    for _ in range(2):
        await sol.expect("chat_message")
        await inbox.expect("chat_message")
    again = {"message": f"message {keys[1]}", "client_message_id": keys[1]}
    await inbox.send(conversation=str(conversation.pk), **again)
    assert (await inbox.expect("ack"))["sequence"] == answers[1]["sequence"]
    assert await sol.has_heard_all()
    assert await in_database(Message.objects.count) == 3


async def test_one_id_to_many_conversations_is_many_messages(sockets: Sockets, seller: Any) -> None:
    """All on their way at once: each of them counts, and so does a retry of what is refused."""
    rows = await in_database(make_conversations, seller, 6)
    rate_limits.forget_all()
    inbox, key = await sockets.inbox(seller), str(uuid4())
    before = await in_database(Message.objects.count)
    for row in rows:
        await inbox.send(conversation=str(row.pk), message="to all", client_message_id=key)
    answers = [await inbox.receive() for _ in rows]
    assert [answer.get("code", "stored") for answer in answers] == ["stored"] * 2 + [
        "rate_limited"
    ] * 4
    assert await in_database(Message.objects.count) == before + 2


async def test_what_is_refused_lets_nothing_through_uncounted(
    sockets: Sockets, conversation: Conversation, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first frame of a message is refused and the second, a moment later, is stored: that is
    one message, and it counts."""
    refused: list[Draft] = []

    def refuse_first(drafts: Sequence[Draft], **how: Any) -> Recorded:
        recorded = record(drafts[1:] if not refused else drafts, **how)
        if not refused:
            refused.append(drafts[0])
            recorded.outcomes.insert(0, Unavailable())
        return recorded

    monkeypatch.setattr(journal, "record", refuse_first)
    rate_limits.forget_all()
    ana = await sockets.room(buyer, conversation.pk)
    for body, key in (("one", uuid4()), ("two", uuid4()), ("three", uuid4())):
        for _ in range(2):
            await ana.send(message=body, client_message_id=str(key))
        answers = [await ana.receive() for _ in range(2)]
        codes = [answer.get("code", "stored") for answer in answers]
        if body == "one":
            assert codes == ["unavailable", "stored"]
        if body == "three":
            assert codes == ["rate_limited"] * 2


def test_who_has_left_gets_it_answered_too(
    conversation: Conversation, buyer: Any, stranger: Any, client_of: Any
) -> None:
    rate_limits.forget_all()
    ana, teo, path, key = (
        client_of(buyer),
        client_of(stranger),
        url(conversation, "new_message/"),
        str(uuid4()),
    )
    first = send(ana, path, "hello", key)
    assert first.status_code == 201
    leave_conversation(user_id=buyer.pk, conversation_id=conversation.pk)
    again = send(ana, path, "hello", key)
    assert (again.status_code, again.json()) == (200, {**first.json(), "duplicate": True})
    assert send(ana, path, "other words", key).status_code == 409
    page = ana.post(path, {"message": "hello", "client_message_id": key})
    assert (page.status_code, page["Location"]) == (303, "/conversations/")
    nowhere = f"/conversation/{uuid4()}/new_message/"
    nothing = send(teo, nowhere, "hello", key)
    assert nothing.status_code == 404
    for client, where, identifier in (
        (teo, path, key),
        (ana, path, str(uuid4())),
        (ana, path, "no id"),
        (ana, nowhere, key),
    ):
        answer = send(client, where, "hello", identifier)
        assert (answer.status_code, answer.content) == (404, nothing.content)
    pages = [client.post(path, {"message": "hello"}) for client in (teo, ana)]
    assert [page.status_code for page in pages] == [404, 404]
    assert Message.objects.count() == 2
