"""Blocking: neither writes to the other, both read what was said, nobody is told."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Block, Conversation, Message
from messaging.notification_source import MessagingSource
from messaging.runtime import in_database
from messaging.services.blocks import block_person, unblock_person
from messaging.tests.browsing import Page, get_json, post_json, url
from messaging.tests.conversing import count_holding, say
from messaging.tests.crowd import ask, change_place, make_conversations, make_listing
from messaging.tests.sockets import Sockets
from notifications.sources import Span


def block_url(user: Any) -> str:
    return f"/people/{user.pk}/block/"


def block(client: Client, user: Any, on: int = 1) -> Any:
    return post_json(client, block_url(user), on=on)


def write(client: Client, conversation: Conversation, body: str = "Hello") -> Any:
    return post_json(client, url(conversation, "new_message/"), message=body)


def start(client: Client, listing: Any) -> Any:
    path = f"/listings/{listing.slug}/conversation/"
    return post_json(client, path, message="About this", client_message_id=str(uuid4()))


@pytest.mark.parametrize("who", ["buyer", "seller"])
def test_neither_writes_and_both_read(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any, who: str
) -> None:
    mine, theirs = (buyer, seller) if who == "buyer" else (seller, buyer)
    blocker = client_of(mine)
    answer = block(blocker, theirs)
    assert (answer.status_code, answer.json()) == (200, {"user": theirs.pk, "blocked": True})
    for user in (buyer, seller):
        refused = write(client_of(user), conversation)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        page = client_of(user).get(url(conversation))
        assert "Is it still there?" in page.content.decode()
        assert get_json(client_of(user), "/conversations/").json()["results"]
    assert block(blocker, theirs, 0).json() == {"user": theirs.pk, "blocked": False}
    for user in (buyer, seller):
        assert write(client_of(user), conversation).status_code == 201


def test_no_new_conversation_between_the_two_either(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    sofa, lamp = make_listing(seller, "Green sofa"), make_listing(buyer, "Brass lamp")
    block(client_of(seller), buyer)
    for user, listing in ((buyer, sofa), (seller, lamp)):
        refused = start(client_of(user), listing)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert Conversation.objects.count() == 1
    block(client_of(seller), buyer, 0)
    assert start(client_of(buyer), sofa).status_code == 201
    assert start(client_of(seller), lamp).status_code == 201


def test_a_retry_of_what_was_stored_is_still_answered(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    identifier = uuid4()
    say(buyer, conversation, "Just before", client_message_id=identifier)
    block(client_of(seller), buyer)
    path, body = url(conversation, "new_message/"), {"client_message_id": str(identifier)}
    assert post_json(client_of(buyer), path, message="Just before", **body).status_code == 200
    assert Message.objects.count() == 2


def test_whom_one_has_nothing_to_do_with_looks_like_nobody(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, staff: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    ids = [stranger.pk, staff.pk, buyer.pk, 10**9, 2**63, 2**70, "x", "-1", "０", "01", "%00"]
    answers = [post_json(ana, f"/people/{key}/block/", on=1) for key in ids]
    assert [answer.status_code for answer in answers] == [404] * len(ids)
    assert {answer.content for answer in answers} == {answers[0].content}
    assert block(client_of(stranger), buyer).status_code == 404
    assert not Block.objects.exists()
    assert block(ana, seller).status_code == 200


def test_who_has_left_can_be_blocked_and_can_block(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    change_place(buyer, conversation, left_at=timezone.now())
    for user, other in ((buyer, seller), (seller, buyer)):
        assert block(client_of(user), other).status_code == 200


def test_to_unblock_always_works(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    for key in (seller.pk, stranger.pk, buyer.pk, 10**9):
        answer = post_json(ana, f"/people/{key}/block/", on=0)
        assert (answer.status_code, answer.json()) == (200, {"user": key, "blocked": False})
    block(ana, seller)
    conversation.delete()
    block(ana, seller, 0)
    assert not Block.objects.exists()


def test_to_block_twice_is_to_block_once(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    assert [block(ana, seller).status_code for _ in range(2)] == [200, 200]
    assert Block.objects.count() == 1
    block(client_of(seller), buyer)
    block(ana, seller, 0)
    assert write(ana, conversation).status_code == 403  # Sol still blocks her.


@pytest.mark.parametrize("body", [{}, {"on": "maybe"}, {"on": 7}])
def test_it_must_say_which(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any, body: dict[str, Any]
) -> None:
    answer = post_json(client_of(buyer), block_url(seller), **body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_blocking_with_a_form_leads_back(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    answer = ana.post(block_url(seller), {"on": "1", "next": url(conversation)})
    assert (answer.status_code, answer.headers["Location"]) == (303, url(conversation))
    answer = ana.post(block_url(seller), {"on": "0", "next": "https://elsewhere.example/"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/people/blocked/")
    assert not Block.objects.exists()


def test_nobody_who_is_blocked_is_notified(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    def look() -> str:
        (owed,) = MessagingSource().look([Span(seller.pk, str(conversation.pk), 1, 1)])
        return owed.state

    assert look() == "owed"
    for pair in ((buyer, seller), (seller, buyer)):
        block_person(user_id=pair[0].pk, other_id=pair[1].pk)
        assert look() == "blocked"
        unblock_person(user_id=pair[0].pk, other_id=pair[1].pk)
    assert look() == "owed"


# --- The list -------------------------------------------------------------------------------------


def test_the_list_of_whom_one_has_blocked(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, client_of: Any
) -> None:
    sol = client_of(seller)
    other = ask(make_listing(seller, "Brass lamp"), stranger)
    assert get_json(sol, "/people/blocked/").json() == {"results": [], "next": None}
    block(sol, buyer)
    block(sol, stranger)
    answer = get_json(sol, "/people/blocked/").json()
    assert [(row["id"], row["username"]) for row in answer["results"]] == [
        (stranger.pk, "Teo"),
        (buyer.pk, "Ana"),
    ]
    assert set(answer["results"][0]) == {"id", "username", "blocked_at"}
    page = Page(sol.get("/people/blocked/"))
    assert ("form", block_url(buyer)) in [(tag, e.get("action")) for tag, e in page.elements]
    assert "Ana" in page.text
    assert "@" not in page.text
    for user in (buyer, stranger):
        assert get_json(client_of(user), "/people/blocked/").json()["results"] == []
    assert other.participants.count() == 2


def test_a_long_list_has_pages_and_a_fixed_number_of_queries(
    seller: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr("messaging.selectors.blocks.PAGE", 4)
    made = make_conversations(seller, 6)
    people = [row.buyer for row in made]
    Block.objects.bulk_create(Block(blocker=seller, blocked=person) for person in people)
    sol = client_of(seller)
    with django_assert_num_queries(3):
        first = get_json(sol, "/people/blocked/").json()
    second = get_json(sol, "/people/blocked/", before=first["next"]).json()
    found = [row["id"] for row in first["results"] + second["results"]]
    assert found == [person.pk for person in reversed(people) if person]
    assert (len(first["results"]), second["next"]) == (4, None)
    assert f"?before={first['next']}" in sol.get("/people/blocked/").content.decode()


def test_blocking_takes_a_fixed_number_of_queries(
    seller: Any, buyer: Any, client_of: Any, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        ask(make_listing(seller, f"Chair {number}"), buyer)
    sol = client_of(seller)
    for on, count in ((1, 14), (0, 6)):
        with django_assert_num_queries(count + count_holding()):
            assert block(sol, buyer, on).status_code == 200


@pytest.mark.parametrize("path", ["/people/blocked/", "/people/7/block/"])
def test_signed_out_nobody_is_blocked(path: str, client: Client, db: None) -> None:
    method = client.get if path.endswith("blocked/") else client.post
    assert method(path, headers={"Accept": "application/json"}).status_code == 401
    answer = method(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")
    other = client.post if path.endswith("blocked/") else client.get
    assert other(path).status_code == 405


def test_blocking_and_unblocking_without_end_is_refused(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any, settings: Any
) -> None:
    ana, sol = client_of(buyer), client_of(seller)
    for _ in range(20):
        assert block(ana, seller).status_code == 200
        assert block(ana, seller).status_code == 200  # Twice is once.
        assert block(ana, seller, on=0).status_code == 200
    answer = block(ana, seller)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert Block.objects.count() == 0
    assert block(ana, seller, on=0).status_code == 200  # To unblock always works.
    assert block(sol, buyer).status_code == 200
    settings.MESSAGING_SEND_LIMITS = []
    assert block(ana, seller).status_code == 200


def test_to_try_it_with_strangers_counts(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, client_of: Any
) -> None:
    ana, teo = client_of(buyer), client_of(stranger)
    for number in range(20):
        assert block(teo, buyer if number % 2 else seller).status_code == 404
    for user in (buyer, stranger):
        answer = block(teo, user)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert block(teo, buyer, on=0).status_code == 200
    assert block(ana, seller).status_code == 200


# --- Open sockets ---------------------------------------------------------------------------------


async def test_open_sockets_are_refused_and_stay_open(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana, inbox = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)
    sol = await sockets.room(seller, conversation.pk)
    await in_database(block_person, user_id=seller.pk, other_id=buyer.pk)
    for socket in (ana, inbox):
        await socket.send(message="Please", conversation=str(conversation.pk))
        assert (await socket.expect("error"))["code"] == "forbidden"
    await sol.send(message="I have blocked you")
    assert (await sol.expect("error"))["code"] == "forbidden"
    await in_database(unblock_person, user_id=seller.pk, other_id=buyer.pk)
    await ana.send(message="Please")
    assert (await ana.expect("ack"))["sequence"] == 2


async def test_neither_sees_whether_the_other_is_here_or_typing(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana, sol = [await sockets.room(user, conversation.pk) for user in (buyer, seller)]
    frame = {"type": "presence", "user": seller.pk, "online": True}
    found = await ana.receive()
    assert {**found, "last_seen": None} == {**frame, "last_seen": None}
    await in_database(block_person, user_id=buyer.pk, other_id=seller.pk)
    gone = {"type": "presence", "online": False, "last_seen": None}
    assert await ana.receive() == {**gone, "user": seller.pk}
    assert await sol.receive() == {**gone, "user": buyer.pk}
    await ana.send(type="typing")
    await sol.send(type="typing")
    later = await sockets.room(buyer, conversation.pk)
    await later.send(type="resume", after=0)
    (ready,) = [f for f in await later.until("ready") if f["type"] == "ready"]
    shown = {one["id"]: (one["online"], one["last_seen"]) for one in ready["participants"]}
    assert shown[seller.pk] == (False, None)
    assert await ana.is_silent()
    assert await sol.is_silent()
    await in_database(unblock_person, user_id=buyer.pk, other_id=seller.pk)
    assert (await ana.receive())["online"] is True
    assert (await sol.receive())["online"] is True
    await ana.send(type="read", sequence=1)
    await sol.send(type="read", sequence=1)
    assert (await ana.expect("read"))["user"] == seller.pk


async def test_pages_do_not_tell_it_either(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await sockets.inbox(seller)
    ana = await in_database(sockets.client, buyer)

    def is_shown_online() -> bool:
        row = get_json(ana, "/conversations/").json()["results"][0]
        return bool(row["other"]["online"])

    assert await in_database(is_shown_online)
    await in_database(block_person, user_id=seller.pk, other_id=buyer.pk)
    assert not await in_database(is_shown_online)
