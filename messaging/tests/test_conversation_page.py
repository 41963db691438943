"""The page of a thread: what it shows, and that showing it changes nothing."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from messaging import presence
from messaging.exceptions import Forbidden
from messaging.models import Conversation, Message, Participant
from messaging.tests.browsing import (
    Page,
    get_json,
    shown_conversations,
    shown_sequences,
    url,
)
from messaging.tests.conversing import say
from messaging.tests.crowd import (
    add_system_message,
    ask,
    change_place,
    make_conversations,
    make_listing,
    place_of,
    record_many,
)
from tests.cast import make_person

# Each would run, or break out of where it stands, if it were not escaped.
PAYLOADS = [
    "<script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "javascript:alert(1)",
    "</title><script>alert(1)</script>",
    "<!--<script>alert(1)//-->",
    "{{ 7|add:7 }}{% now 'Y' %}",
    '<a href="javascript:alert(1)">x</a>',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "]]><script>alert(1)</script>",
    "</template><script>alert(1)</script>",
]


@pytest.fixture
def sol(conversation: Conversation, seller: Any, client_of: Any) -> Client:
    client: Client = client_of(seller)
    return client


def test_the_newest_fifty_and_the_older_ones_by_link(
    sol: Client, conversation: Conversation, buyer: Any
) -> None:
    record_many(buyer, conversation, [f"Message {number}" for number in range(2, 121)])
    newest = sol.get(url(conversation))
    assert shown_sequences(newest) == list(range(71, 121))
    assert f'href="{url(conversation)}?before=71"' in newest.content.decode()
    older = sol.get(url(conversation), {"before": 71})
    assert shown_sequences(older) == list(range(21, 71))
    oldest = sol.get(url(conversation), {"before": 21})
    assert shown_sequences(oldest) == list(range(1, 21))
    assert 'id="older"' not in oldest.content.decode()
    assert shown_sequences(sol.get(url(conversation), {"before": 1})) == []
    assert shown_sequences(sol.get(url(conversation), {"before": 2**63 - 1})) == list(
        range(71, 121)
    )


def test_json_of_the_thread(sol: Client, conversation: Conversation, buyer: Any) -> None:
    record_many(buyer, conversation, [f"Message {number}" for number in range(2, 61)])
    answer = get_json(sol, url(conversation)).json()
    assert [frame["sequence"] for frame in answer["results"]] == list(range(11, 61))
    assert (answer["next"], answer["revision"], answer["last_sequence"]) == (11, 60, 60)
    assert (answer["role"], answer["read_sequence"]) == ("seller", 0)
    assert answer["listing"]["title"] == "Walnut sideboard"
    older = get_json(sol, url(conversation), before=11).json()
    assert ([frame["sequence"] for frame in older["results"]], older["next"]) == (
        list(range(1, 11)),
        None,
    )


@pytest.mark.parametrize("before", ["x", "-1", "1.5", str(2**63), "9" * 5_000, "١"])
def test_a_place_that_is_none_is_refused(
    sol: Client, conversation: Conversation, before: str
) -> None:
    assert sol.get(url(conversation), {"before": before}).status_code == 400
    answer = get_json(sol, url(conversation), before=before)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_looking_changes_nothing(
    sol: Client, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    def everything() -> list[Any]:
        rows = (Conversation.objects, Participant.objects, Message.objects)
        return [list(manager.order_by("pk").values()) for manager in rows]

    say(buyer, conversation, "Another one")
    before = everything()
    for path in (url(conversation), url(conversation, "messages/"), "/conversations/", "/seller/"):
        sol.get(path)
        sol.head(path)
        get_json(sol, path)
    assert everything() == before
    assert place_of(seller, conversation).unread_count == 2


def divider(response: Any) -> int | None:
    """The first sequence below “New”, or None."""
    thread = response.content.decode().partition('<template id="message')[0]
    below = thread.partition('<p class="new">')[2].partition('id="message-')[2]
    return int(below.partition('"')[0]) if below else None


def test_a_divider_before_what_is_unread(
    sol: Client, conversation: Conversation, seller: Any, buyer: Any
) -> None:
    say(seller, conversation, "Yes")
    assert divider(sol.get(url(conversation))) == 1
    change_place(seller, conversation, read_sequence=1)
    assert divider(sol.get(url(conversation))) is None  # One's own message is not unread.
    add_system_message(conversation, "Now reserved")
    assert divider(sol.get(url(conversation))) is None
    say(buyer, conversation, "Taken back")
    say(buyer, conversation, "Great")
    say(buyer, conversation, "When?")
    assert divider(sol.get(url(conversation))) == 4
    Message.objects.filter(sequence=4).update(deleted_at=timezone.now())
    assert divider(sol.get(url(conversation))) == 5
    assert sol.get(url(conversation)).content.decode().count('<p class="new">') == 2  # Template.


def test_system_and_deleted_and_edited_messages(
    sol: Client, conversation: Conversation, buyer: Any
) -> None:
    add_system_message(conversation, "The price is now € 300")
    say(buyer, conversation, "Words that were taken back")
    say(buyer, conversation, "Words that were mended")
    Message.objects.filter(sequence=3).update(deleted_at=timezone.now())
    Message.objects.filter(sequence=4).update(edited_at=timezone.now())
    page = Page(sol.get(url(conversation)))
    articles = [attributes for tag, attributes in page.elements if tag == "article"]
    kinds = [str(attributes["class"]).split() for attributes in articles[:4]]
    assert ["message--system" in kind for kind in kinds] == [False, True, False, False]
    assert ["message--deleted" in kind for kind in kinds] == [False, False, True, False]
    assert "The price is now € 300" in page.text
    assert "Words that were taken back" not in page.text
    assert "This message was deleted" in page.text
    system, deleted, edited = get_json(sol, url(conversation)).json()["results"][1:]
    assert (system["kind"], system["sender"], system["username"]) == (
        "system",
        {"id": None, "role": None},
        "",
    )
    assert (deleted["deleted"], deleted["message"]) == (True, "")
    assert (edited["deleted"], bool(edited["edited_at"])) == (False, True)


def test_sent_and_read(sol: Client, conversation: Conversation, seller: Any, buyer: Any) -> None:
    say(seller, conversation, "One")
    say(seller, conversation, "Two")
    change_place(buyer, conversation, read_sequence=2)
    page = sol.get(url(conversation)).content.decode().partition('<template id="message')[0]
    statuses = [part.partition("</span>")[0] for part in page.split('message__status">')[1:]]
    assert statuses == ["", "Read", "Sent"]


def test_days_and_groups(sol: Client, conversation: Conversation, buyer: Any) -> None:
    start = timezone.now().replace(hour=12, minute=0)
    Message.objects.update(created_at=start - timedelta(days=3))
    for minutes in (0, 4, 10, 24 * 60):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            say(buyer, conversation, f"After {minutes} minutes")
    views = sol.get(url(conversation)).context["thread"].messages
    assert [view.first_of_day for view in views] == [True, True, False, False, True]
    assert [view.starts_group for view in views] == [True, True, False, True, True]


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_everything_people_write_is_shown_as_text(
    payload: str, seller: Any, client_of: Any
) -> None:
    eve = make_person("Eve")
    type(eve).objects.filter(pk=eve.pk).update(display_name=payload[:60])
    eve.refresh_from_db()
    listing = make_listing(seller, "Brass lamp")
    type(listing).objects.filter(pk=listing.pk).update(title=payload)
    listing.refresh_from_db()
    conversation = ask(listing, eve, payload)
    views = [
        (seller, url(conversation)),
        (seller, f"/seller/?q={quote(payload)}"),
        (seller, "/listings/brass-lamp/"),
        (eve, f"/conversations/?q={quote(payload)}"),
        (eve, "/listings/brass-lamp/"),
    ]
    for user, path in views:
        page = Page(client_of(user).get(path))
        assert page.dangers == [], path
        assert payload in page.text, path
    too_long = payload + "x" * 4_000
    refused = client_of(eve).post(url(conversation, "new_message/"), {"message": too_long})
    page = Page(refused)
    assert (refused.status_code, page.dangers) == (400, [])
    assert page.text_fields["message"] == too_long
    assert get_json(client_of(seller), url(conversation)).json()["results"][0]["message"] == payload


def test_the_reader_of_pages_sees_what_would_run(client_of: Any) -> None:
    bare = HttpResponse("<p>".join(PAYLOADS))
    assert len(Page(bare).dangers) >= 5


def test_the_other_side_here_and_gone(
    sol: Client, conversation: Conversation, buyer: Any, seller: Any, listing: Any
) -> None:
    assert 'data-online="false"' in sol.get(url(conversation)).content.decode()
    presence.mark_online([buyer.pk])
    assert 'data-online="true"' in sol.get(url(conversation)).content.decode()
    buyer.delete()
    page = Page(sol.get(url(conversation)))
    assert "Ana" in page.text
    assert "Is it still there?" in page.text
    frame = get_json(sol, url(conversation)).json()["results"][0]
    assert (frame["username"], frame["sender"]) == ("Ana", {"id": None, "role": "buyer"})
    assert "client_message_id" not in frame
    with pytest.raises(Forbidden):
        say(seller, conversation, "Are you still there?")


def test_a_listing_that_is_gone_leaves_its_title(
    sol: Client, conversation: Conversation, listing: Any, buyer: Any, client_of: Any
) -> None:
    listing.delete()
    for client in (sol, client_of(buyer)):
        page = client.get(url(conversation))
        assert "Walnut sideboard" in page.content.decode()
        assert get_json(client, url(conversation)).json()["listing"] == {
            "title": "Walnut sideboard",
            "url": "",
            "thumbnail": "",
            "price": "",
            "state": "",
        }
        assert client.get("/conversations/").status_code == 200


def test_the_list_beside_the_thread_is_of_the_same_side(
    sol: Client, conversation: Conversation, seller: Any, buyer: Any, client_of: Any
) -> None:
    other = ask(make_listing(buyer, "Brass lamp"), seller)
    assert shown_conversations(sol.get(url(conversation))) == [str(conversation.pk)]
    assert shown_conversations(sol.get(url(other))) == [str(other.pk)]


@pytest.mark.parametrize("count", [1, 30])
def test_a_thread_takes_a_fixed_number_of_queries(
    count: int,
    sol: Client,
    conversation: Conversation,
    seller: Any,
    buyer: Any,
    django_assert_num_queries: Any,
) -> None:
    if count > 1:
        make_conversations(seller, count - 1)
        record_many(buyer, conversation, ["x"] * 59)
        record_many(seller, conversation, ["y"] * 59)
    # Session, person; the door (participants with their conversation), messages, their senders,
    # blocks, the listing; beside the thread: rows, their participants, listings and last
    # messages; the count in the header.
    with django_assert_num_queries(12):
        sol.get(url(conversation))
    # Nothing beside it.
    with django_assert_num_queries(7):
        get_json(sol, url(conversation))
