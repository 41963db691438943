"""Archived, starred, muted: a person's own marks, which follow them to every tab of theirs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from messaging.models import Conversation
from messaging.notification_source import MessagingSource
from messaging.runtime import in_database
from messaging.selectors.connections import read_inboxes
from messaging.services.flags import archive_conversation, mute_conversation, star_conversation
from messaging.tests.browsing import get_json, post_json, shown_conversations, url
from messaging.tests.conversing import count_holding, say
from messaging.tests.crowd import change_place, place_of
from messaging.tests.sockets import Sockets
from notifications.sources import Span

MARKS = {"archive": "archived", "star": "starred", "mute": "muted"}
SERVICES = {"archive": archive_conversation, "star": star_conversation, "mute": mute_conversation}
PLAIN = {"archived": False, "starred": False, "muted": False}

each_mark = pytest.mark.parametrize("path", MARKS)


@each_mark
def test_a_mark_is_set_and_taken_away(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any, path: str
) -> None:
    ana, key = client_of(buyer), {"conversation": str(conversation.pk)}
    for on, shown in [(1, True), ("1", True), (True, True), (0, False), ("0", False)]:
        answer = post_json(ana, url(conversation, f"{path}/"), on=on)
        assert (answer.status_code, answer.json()) == (200, {**key, **PLAIN, MARKS[path]: shown})
        assert getattr(place_of(buyer, conversation), MARKS[path]) is shown
    assert getattr(place_of(seller, conversation), MARKS[path]) is False


@each_mark
@pytest.mark.parametrize("on", ["", "3", 2, "yes", None, [], 1.0, "on"])
def test_anything_else_is_refused(
    conversation: Conversation, buyer: Any, client_of: Any, path: str, on: Any
) -> None:
    answer = post_json(client_of(buyer), url(conversation, f"{path}/"), on=on)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "“on”" in answer.json()["detail"]
    assert not getattr(place_of(buyer, conversation), MARKS[path])


@pytest.mark.parametrize(
    ("given", "leads_to"),
    [
        ("/conversations/?state=starred&q=a b", "/conversations/?state=starred&q=a%20b"),
        ("", None),
        ("//elsewhere.example/", None),
        ("/\\elsewhere.example/", None),
        ("https://elsewhere.example/", None),
        ("conversations/", None),
        ("javascript:alert(1)", None),
        ("/\x00", None),
    ],
)
def test_a_form_leads_back_to_a_page_of_ours(
    conversation: Conversation, buyer: Any, client_of: Any, given: str, leads_to: str | None
) -> None:
    answer = client_of(buyer).post(url(conversation, "star/"), {"on": "1", "next": given})
    assert answer.status_code == 303
    assert answer.headers["Location"] == (leads_to or url(conversation))
    assert place_of(buyer, conversation).starred


@each_mark
def test_the_number_of_queries_is_fixed(
    conversation: Conversation,
    buyer: Any,
    client_of: Any,
    path: str,
    django_assert_num_queries: Any,
) -> None:
    ana = client_of(buyer)
    with django_assert_num_queries(9 + count_holding()):
        post_json(ana, url(conversation, f"{path}/"), on=1)


def test_an_archived_conversation_comes_back_when_the_other_side_writes(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    sol = client_of(seller)
    post_json(sol, url(conversation, "archive/"), on=1)
    assert shown_conversations(sol.get("/conversations/")) == []
    assert shown_conversations(sol.get("/conversations/?state=archived")) == [str(conversation.pk)]
    say(buyer, conversation, "Hello again")
    row = get_json(sol, "/conversations/").json()["results"][0]
    assert (row["archived"], row["unread"]) == (False, 2)


def is_told_of(user: Any, conversation: Conversation) -> bool:
    """Whether the person is owed a notification of what has come by now."""
    source = MessagingSource()
    due = source.claim_due(now=timezone.now() + timedelta(hours=1), limit=10)
    mine = [one for one in due if one.recipient_id == user.pk]
    return any(owed.state == "owed" for owed in source.look(mine))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("path", ["mute", "archive"])
def test_a_muted_conversation_notifies_nobody(
    conversation: Conversation, buyer: Any, seller: Any, path: str, when: str
) -> None:
    change_place(seller, conversation, notify_at=None)
    mark = {"user_id": seller.pk, "conversation_id": conversation.pk}
    if when == "before":
        SERVICES[path](**mark, on=True)
    say(buyer, conversation, "Hello?")
    if when == "after":
        SERVICES[path](**mark, on=True)
    assert is_told_of(seller, conversation) is (path == "archive")
    assert place_of(seller, conversation).unread_count == 2


def test_what_was_taken_back_notifies_nobody(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    assert is_told_of(seller, conversation)
    post_json(client_of(buyer), url(conversation, "messages/1/delete/"))
    assert not is_told_of(seller, conversation)


def test_a_notification_has_the_latest_words(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    say(buyer, conversation, "And a second")
    post_json(ana, url(conversation, "messages/1/edit/"), message="Other words")
    post_json(ana, url(conversation, "messages/2/delete/"))
    content = MessagingSource().content(Span(seller.pk, str(conversation.pk), 1, 2))
    assert [message.body for message in content.messages] == ["Other words"]


@each_mark
def test_a_mark_moves_the_cursor_of_ones_inbox(
    conversation: Conversation, buyer: Any, seller: Any, path: str
) -> None:
    """A heartbeat shows it to a tab that the layer has not told."""
    before = read_inboxes([buyer.pk, seller.pk])
    SERVICES[path](user_id=buyer.pk, conversation_id=conversation.pk, on=True)
    after = read_inboxes([buyer.pk, seller.pk])
    assert after[buyer.pk].cursor != before[buyer.pk].cursor
    assert after[seller.pk] == before[seller.pk]


# --- The frame ------------------------------------------------------------------------------------


@each_mark
async def test_every_tab_of_the_person_follows_and_nobody_elses(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, path: str
) -> None:
    own = [await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)]
    others = [await sockets.room(seller, conversation.pk), await sockets.inbox(seller)]
    for on in (True, True, False):
        await in_database(SERVICES[path], user_id=buyer.pk, conversation_id=conversation.pk, on=on)
    for socket in own:
        frames = [await socket.expect("place") for _ in range(2)]
        expected = {"type": "place", "conversation": str(conversation.pk), **PLAIN}
        assert frames == [{**expected, MARKS[path]: True}, expected]
    for socket in own + others:
        assert await socket.is_silent()
