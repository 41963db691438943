"""The line breaks while people write: nothing is lost, nothing comes twice, nobody reloads."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.cast import Pair
from tests.browser.people import People
from tests.browser.talking import (
    LOOK_AWAY,
    composer,
    is_same_document,
    listen,
    message,
    messages,
    post,
    read_stored,
    remember_document,
    say,
    silence,
    start_talk,
    status,
    texts,
    wait_until,
)
from tests.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.processes]

KEPT = "() => Object.keys(localStorage).filter((key) => key.startsWith('trato.kept'))"
# The buyer takes back one of two messages before the seller has seen either.
ABSENCE = """
from uuid import uuid4
from messaging.models import Conversation
from messaging.services.changes import delete_message
from messaging.services.messages import send_message
talk = Conversation.objects.get(pk="{key}")
for text in ("Said in haste", "Said to stay"):
    send_message(user_id=talk.buyer_id, name="Berta", conversation_id=talk.pk, body=text,
                 client_message_id=uuid4())
delete_message(user_id=talk.buyer_id, conversation_id=talk.pk, sequence=2)
"""
# The last is said of a connection that was kept, and whose server is gone.
CUT_OFF = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_SOCKET_NOT_CONNECTED")
RECONNECTED = 30_000  # milliseconds


@pytest.fixture
def thread_of_two(people: People, pair: Pair) -> tuple[Page, Page]:
    """A buyer and a seller, each with the thread open and in touch."""
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    seller.goto(start_talk(buyer, pair, "Hello"))
    for page in (buyer, seller):
        expect(page.locator("#presence")).to_have_text("here now")
        remember_document(page)
    return buyer, seller


def test_the_web_server_is_killed_and_started_again(
    people: People, thread_of_two: tuple[Page, Page], live: Live
) -> None:
    buyer, seller = thread_of_two
    no_connection = buyer.get_by_text("No connection.")
    expect(no_connection).to_be_hidden()
    people.expect_complaints("WebSocket connection to", *CUT_OFF)
    live.kill("web")
    for text in ("First while it is down", "Second while it is down"):
        say(buyer, text)
        expect(status(buyer, text)).to_have_text("Waiting for the connection")
    say(seller, "From the other side")
    expect(no_connection).to_be_visible()
    live.start("web")
    expect(message(buyer, "From the other side")).to_be_visible(timeout=RECONNECTED)
    expect(message(seller, "Second while it is down")).to_be_visible(timeout=RECONNECTED)
    expect(no_connection).to_be_hidden()
    expect_same(buyer, seller, count=4)


def test_what_was_deleted_meanwhile_is_no_news(
    people: People, thread_of_two: tuple[Page, Page], live: Live
) -> None:
    buyer, seller = thread_of_two
    people.expect_complaints("WebSocket connection to", *CUT_OFF)
    expect(status(buyer, "Hello")).to_have_text("Read")
    seller.reload()  # Without the line above what was new the first time.
    expect(seller.locator("#presence")).to_have_text("here now")
    seller.evaluate(LOOK_AWAY)
    heard = listen(seller, "announcements")
    live.kill("web")
    expect(seller.get_by_text("No connection.")).to_be_visible()
    live.manage("shell", "--no-imports", "-c", ABSENCE.format(key=buyer.url.split("/")[-2]))
    live.start("web")
    expect(message(seller, "Said to stay")).to_be_visible(timeout=RECONNECTED)
    expect(messages(seller)).to_have_count(3)
    assert [text.partition(": ")[2] for text in heard()] == ["Said to stay"]
    expect(seller.locator(".new + .message")).to_contain_text("Said to stay")
    expect(message(buyer, "Said to stay")).to_be_visible(timeout=RECONNECTED)
    post(buyer, f"{buyer.url}messages/3/delete/")
    expect(message(seller, "Said to stay")).to_have_count(0)
    expect(seller.locator(".new")).to_have_count(0)


def test_redis_is_killed_and_started_again(thread_of_two: tuple[Page, Page], live: Live) -> None:
    buyer, seller = thread_of_two
    live.redis.kill()
    try:
        say(buyer, "Said without Redis")
        expect(status(buyer, "Said without Redis")).to_have_text("Sent")
    finally:
        live.redis.start()
    expect(message(seller, "Said without Redis")).to_be_visible(timeout=RECONNECTED)
    say(seller, "Said with Redis")
    expect(message(buyer, "Said with Redis")).to_be_visible(timeout=RECONNECTED)
    expect(status(buyer, "Said without Redis")).to_have_text("Read", timeout=RECONNECTED)
    expect_same(buyer, seller, count=3)


def expect_same(buyer: Page, seller: Page, *, count: int) -> None:
    """Both pages show what is stored, in its order, and are the documents they were."""
    expect(messages(buyer)).to_have_count(count)
    expect(messages(seller)).to_have_count(count)
    stored = read_stored(buyer, buyer.url)
    assert texts(buyer).all_inner_texts() == texts(seller).all_inner_texts() == stored
    assert is_same_document(buyer)
    assert is_same_document(seller)
    assert buyer.evaluate(KEPT) == seller.evaluate(KEPT) == []


def test_the_page_itself_notices_what_is_missing(thread_of_two: tuple[Page, Page]) -> None:
    """A frame that the server has sent and the page has never seen: the next one shows the gap, or
    where there is none, the heartbeat does."""
    buyer, seller = thread_of_two
    lost = ["Lost", "Lost as the last"]
    asked: list[int] = []
    heard: list[str] = []
    beating: list[bool] = []

    def lose(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_up(text: Any) -> None:
            frame = json.loads(text)
            if frame["type"] == "resume":
                asked.append(frame["after"])
            server.send(text)

        def pass_down(text: Any) -> None:
            frame = json.loads(text)
            heard.append(frame["type"])
            if frame.get("message") in lost:
                lost.remove(frame["message"])
            elif frame["type"] != "heartbeat" or beating:
                socket.send(text)

        socket.on_message(pass_up)
        server.on_message(pass_down)

    seller.route_web_socket("**/ws/room/**", lose)
    seller.reload()
    wait_until(seller, lambda: "ready" in heard)
    remember_document(seller)
    say(buyer, "Lost")
    wait_until(seller, lambda: lost == ["Lost as the last"])
    say(buyer, "Shows the gap")
    expect(message(seller, "Shows the gap")).to_be_visible()
    expect(message(seller, "Lost")).to_be_visible()
    assert asked == [1]
    say(buyer, "Lost as the last")
    wait_until(seller, lambda: not lost)
    assert asked == [1]
    beating.append(True)
    expect(message(seller, "Lost as the last")).to_be_visible()
    assert asked == [1, 3]
    expect_same(buyer, seller, count=4)


def test_an_unsent_message_outlives_its_page(people: People, pair: Pair) -> None:
    buyer = people.open(pair.buyer)
    thread = start_talk(buyer, pair, "Hello")
    silence(buyer)
    buyer.goto(thread)
    say(buyer, "Nobody hears this yet")
    expect(status(buyer, "Nobody hears this yet")).to_have_text("Waiting for the connection")
    buyer.reload()
    expect(status(buyer, "Nobody hears this yet")).to_have_text("Waiting for the connection")
    assert read_stored(buyer, thread) == ["Hello"]
    buyer.close()

    again = people.contexts[0].new_page()
    again.goto(thread)
    expect(status(again, "Nobody hears this yet")).to_have_text("Sent")
    assert read_stored(again, thread) == ["Hello", "Nobody hears this yet"]
    assert again.evaluate(KEPT) == []


def test_signing_out_leaves_nothing_on_the_device(people: People, pair: Pair) -> None:
    buyer = people.open(pair.buyer)
    thread = start_talk(buyer, pair, "Hello")
    silence(buyer)
    buyer.goto(thread)
    say(buyer, "Unsent")
    composer(buyer).press_sequentially("A draft")
    assert len(buyer.evaluate(KEPT)) == 2
    buyer.on("dialog", lambda dialog: dialog.accept())
    buyer.get_by_label("Your account").click()
    buyer.get_by_role("button", name="Sign out").click()
    expect(buyer.get_by_role("link", name="Sign in")).to_be_visible()
    assert buyer.evaluate(KEPT) == []
