"""What the pages offer to do with messages and conversations, to whom, and for how long."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from messaging import presence
from messaging.models import Block, Conversation, Message
from messaging.tests.browsing import Page, url
from messaging.tests.conversing import say
from messaging.tests.crowd import add_system_message, change_place, make_conversations, place_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
def sol(conversation: Conversation, seller: Any, client_of: Any) -> Client:
    client: Client = client_of(seller)
    return client


def thread_of(client: Client, conversation: Conversation) -> Any:
    return client.get(url(conversation)).context["thread"]


def changeable(thread: Any) -> tuple[list[int], list[int]]:
    """The sequences that can be edited, and those that can be deleted."""
    return (
        [view.sequence for view in thread.messages if view.can_edit_until],
        [view.sequence for view in thread.messages if view.can_delete_until],
    )


def targets(client: Client, path: str) -> dict[str, str]:
    """Where the buttons of a page lead that mark conversations, and what they turn on or off."""
    page = Page(client.get(path))
    return {
        str(attributes["formaction"]): str(attributes["value"])
        for tag, attributes in page.elements
        if tag == "button" and attributes.get("form") == "flags" and "formaction" in attributes
    }


def test_own_messages_can_be_changed_while_there_is_time(
    sol: Client, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    now = timezone.now()
    for minutes in (20, 14, 4):
        with time_machine.travel(now - minutes * MINUTE, tick=False):
            say(seller, conversation, f"Said {minutes} minutes ago")
    say(seller, conversation, "Taken back")
    Message.objects.filter(sequence=5).update(deleted_at=now)
    say(buyer, conversation, "Somebody else's")
    add_system_message(conversation, "The price is now € 300")
    thread = thread_of(sol, conversation)
    assert changeable(thread) == ([4], [3, 4])
    assert (thread.edit_seconds, thread.delete_seconds) == (300, 900)
    page = sol.get(url(conversation)).content.decode().partition('<template id="message')[0]
    assert f'href="{url(conversation, "messages/4/edit/")}"' in page
    assert f'href="{url(conversation, "messages/3/delete/")}"' in page
    assert page.count('class="message__menu"') == 2


def test_who_cannot_write_can_only_take_back(
    sol: Client, conversation: Conversation, seller: Any, buyer: Any, client_of: Any
) -> None:
    say(seller, conversation, "Yes")
    assert changeable(thread_of(sol, conversation)) == ([2], [2])
    Block.objects.create(blocker=buyer, blocked=seller)
    thread = thread_of(sol, conversation)
    assert changeable(thread) == ([], [2])
    assert (thread.edit_seconds, thread.can_write) == (0, False)


def test_only_who_has_blocked_can_unblock(
    sol: Client, conversation: Conversation, seller: Any, buyer: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    assert targets(sol, url(conversation))[f"/people/{buyer.pk}/block/"] == "1"
    Block.objects.create(blocker=seller, blocked=buyer)
    presence.mark_online([buyer.pk, seller.pk])
    mine, theirs = thread_of(sol, conversation), thread_of(ana, conversation)
    assert (mine.blocked_by_me, theirs.blocked_by_me) == (True, False)
    assert targets(sol, url(conversation))[f"/people/{buyer.pk}/block/"] == "0"
    assert targets(ana, url(conversation))[f"/people/{seller.pk}/block/"] == "1"
    assert "You have blocked Ana." in sol.get(url(conversation)).content.decode()
    assert "You have blocked" not in ana.get(url(conversation)).content.decode()


def test_who_is_here_is_hidden_between_people_who_cannot_write(
    sol: Client, conversation: Conversation, seller: Any, buyer: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    presence.mark_online([buyer.pk, seller.pk])
    for client in (sol, ana):
        assert thread_of(client, conversation).other.online
        assert client.get("/conversations/").context["rows"][0].other_online
    Block.objects.create(blocker=seller, blocked=buyer)
    for client in (sol, ana):
        other = thread_of(client, conversation).other
        assert (other.online, other.last_seen) == (False, "")
        assert not client.get("/conversations/").context["rows"][0].other_online


def test_ones_own_marks_and_nobody_elses(
    sol: Client, conversation: Conversation, seller: Any, buyer: Any, client_of: Any
) -> None:
    names = ("archive", "star", "mute")
    assert [targets(sol, url(conversation))[url(conversation, f"{name}/")] for name in names] == [
        "0",  # Of the line that says so, which is hidden.
        "1",
        "1",
    ]
    change_place(seller, conversation, archived=True, starred=True, muted=True)
    thread = thread_of(sol, conversation)
    assert (thread.archived, thread.starred, thread.muted) == (True, True, True)
    assert [targets(sol, url(conversation))[url(conversation, f"{name}/")] for name in names] == [
        "0",
        "0",
        "0",
    ]
    other = thread_of(client_of(buyer), conversation)
    assert (other.archived, other.starred, other.muted) == (False, False, False)


def test_rows_can_be_starred_and_archived_by_form(
    sol: Client, conversation: Conversation, seller: Any
) -> None:
    archive, star = url(conversation, "archive/"), url(conversation, "star/")
    for path in ("/conversations/", "/seller/"):
        assert targets(sol, path) == {star: "1", archive: "1"}
    where = "/seller/?state=all"
    page = Page(sol.get(where))
    answer = sol.post(archive, {"on": "1", "next": page.hidden("next")})
    assert (answer.status_code, answer.headers["Location"]) == (303, where)
    assert place_of(seller, conversation).archived
    assert targets(sol, "/seller/?state=archived") == {star: "1", archive: "0"}


def test_after_a_refused_reply_forms_lead_back_to_the_thread(
    sol: Client, conversation: Conversation
) -> None:
    refused = sol.post(url(conversation, "new_message/"), {"message": ""})
    assert refused.status_code == 400
    assert Page(refused).hidden("next") == url(conversation)


def test_a_listing_shows_who_asked_without_buttons(
    sol: Client, conversation: Conversation, listing: Any
) -> None:
    page = sol.get(listing.get_absolute_url()).content.decode()
    assert f'id="conversation-{conversation.pk}"' in page
    assert "formaction" not in page


@pytest.mark.parametrize("count", [1, 30])
def test_who_is_hidden_takes_one_more_query(
    count: int, sol: Client, seller: Any, django_assert_num_queries: Any
) -> None:
    for conversation in make_conversations(seller, count):
        presence.mark_online([conversation.buyer_id])
    # As when nobody is here (test_inbox.py), and the blocks between those on the page.
    with django_assert_num_queries(9):
        sol.get("/conversations/")
