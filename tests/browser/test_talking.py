"""Two people talk about a listing, each at a browser of their own."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cast import Pair
from tests.browser.people import People
from tests.browser.talking import (
    ask,
    composer,
    is_same_document,
    message,
    messages,
    remember_document,
    say,
    start_talk,
    status,
    texts,
)
from tests.services.places import PROJECT

pytestmark = [pytest.mark.browser, pytest.mark.processes]

LONGEST = 4_000
OLDEST_CLIENT = re.compile(r"The oldest client.*?```\n(.*?)\n(.*?)\n(.*?)\n```", re.DOTALL)


def test_a_question_reaches_the_dashboard_and_its_answer_the_buyer(
    people: People, pair: Pair
) -> None:
    seller, buyer = people.open(pair.seller), people.open(pair.buyer)
    seller.goto("/seller/")
    expect(seller.locator("#seller-figures dd")).to_have_text("0")
    remember_document(seller)
    buyer.goto(pair.listing)
    ask(buyer, "Is it still available?")
    remember_document(buyer)
    expect_waiting(seller, pair)
    expect(status(buyer, "Is it still available?")).to_have_text("Sent")
    assert is_same_document(seller)

    seller.get_by_role("link", name=pair.buyer.name).click()
    expect(status(buyer, "Is it still available?")).to_have_text("Read")
    expect(seller.locator("#unread-count .count")).to_have_count(0)
    expect(seller).to_have_title(re.compile(rf"^{pair.buyer.name}"))
    say(seller, "It is. Come and see it.")
    expect(message(buyer, "It is. Come and see it.")).to_be_visible()
    expect(status(seller, "It is. Come and see it.")).to_have_text("Read")
    expect(buyer.locator("#announcements")).to_have_text(
        f"{pair.seller.name}: It is. Come and see it."
    )
    assert is_same_document(buyer)
    seller.goto("/seller/")
    expect(seller.locator("#seller-figures dd")).to_have_text("0")
    expect(seller.locator("#conversation-rows li")).to_have_count(0)


def expect_waiting(seller: Page, pair: Pair) -> None:
    row = seller.locator("#conversation-rows li").filter(has_text=pair.buyer.name)
    expect(row).to_contain_text("Is it still available?")
    expect(row).to_contain_text("Waiting")
    expect(row.locator(".count")).to_have_text("1")
    expect(seller.locator("#seller-figures dd")).to_have_text("1")
    expect(seller.locator("#unread-count .count")).to_have_text("1")
    expect(seller).to_have_title(re.compile(r"^\(1\) Seller dashboard"))


def test_each_sees_whether_the_other_is_here_and_writing(people: People, pair: Pair) -> None:
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "Hello")
    expect(buyer.locator("#presence")).not_to_have_text("here now")
    seller.goto(thread)
    expect(buyer.locator("#presence")).to_have_text("here now")
    expect(seller.locator("#presence")).to_have_text("here now")

    expect(seller.locator("#typing")).to_be_hidden()
    composer(buyer).press_sequentially("I have")
    expect(seller.locator("#typing")).to_have_text(f"{pair.buyer.name} is writing")
    expect(seller.locator("#typing")).to_be_visible()
    composer(buyer).press("Enter")
    expect(message(seller, "I have")).to_be_visible()
    expect(seller.locator("#typing")).to_be_hidden()

    composer(seller).press_sequentially("You have")
    expect(buyer.locator("#typing")).to_be_visible()
    seller.context.close()
    expect(buyer.locator("#presence")).to_have_text("here today")
    expect(buyer.locator("#typing")).to_be_hidden()


def test_the_oldest_client_goes_on_working(people: People, pair: Pair) -> None:
    protocol = (PROJECT / "docs" / "protocol.md").read_text()
    found = OLDEST_CLIENT.search(protocol)
    assert found
    connect, send, listen = found.groups()
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "From the page")
    seller.goto("/")
    run(seller, f"room_id = {thread.split('/')[-2]!r}; shown = []")
    run(seller, "show = (username, message) => shown.push([username, message])")
    run(seller, f"{connect}\n{listen}")
    seller.wait_for_function("() => socket.readyState === WebSocket.OPEN")

    run(seller, f"text = '  From five lines '; {send}")
    expect(message(buyer, "From five lines")).to_be_visible()
    composer(buyer).press_sequentially("Typing is a frame it does not know")
    composer(buyer).press("Enter")
    expect(status(buyer, "Typing is a frame it does not know")).to_have_text("Sent")
    seller.wait_for_function("() => shown.length")
    run(seller, f"text = 'And again'; {send}")
    expect(message(buyer, "And again")).to_be_visible()
    assert run(seller, "shown") == [[pair.buyer.name, "Typing is a frame it does not know"]]


def run(page: Page, script: str) -> Any:
    """In the page's global scope, as a script of the page would run, whatever its policy says."""
    session = page.context.new_cdp_session(page)
    answer = session.send("Runtime.evaluate", {"expression": script, "returnByValue": True})
    assert "exceptionDetails" not in answer, answer
    return answer["result"].get("value")


def test_the_composer_keeps_what_is_not_sent(people: People, pair: Pair) -> None:
    buyer = people.open(pair.buyer)
    start_talk(buyer, pair, "Hello")
    box = composer(buyer)
    expect(box).to_be_focused()
    box.press_sequentially("One line")
    box.press("Shift+Enter")
    box.press_sequentially("and another")
    buyer.reload()
    expect(box).to_have_value("One line\nand another")
    expect(messages(buyer)).to_have_count(1)
    box.press("Enter")
    expect(status(buyer, "One line and another")).to_have_text("Sent")
    assert texts(buyer).last.inner_text() == "One line\nand another"
    expect(box).to_have_value("")

    box.fill("x" * (LONGEST + 1))
    box.press("Enter")
    expect(buyer.locator(".composer__count")).to_have_text(f"{LONGEST + 1} / {LONGEST}")
    expect(box).to_have_value("x" * (LONGEST + 1))
    buyer.reload()
    expect(box).to_have_value("x" * (LONGEST + 1))
    expect(messages(buyer)).to_have_count(2)


def test_older_messages_load_without_a_jump(people: People, pair: Pair) -> None:
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, *[f"Number {number}" for number in range(1, 131)])
    buyer.goto(thread)
    expect(message(buyer, "Number 130")).to_be_in_viewport()
    expect(messages(buyer)).to_have_count(50)
    before = buyer.evaluate(SCROLL_NEAR_THE_TOP)
    expect(messages(buyer)).to_have_count(100)
    assert abs(buyer.evaluate(TOP_OF_FIRST_SEEN) - before) < 2
    # Brought into view to be clicked, it would load before that.
    buyer.get_by_role("link", name="Older messages").dispatch_event("click")
    expect(messages(buyer)).to_have_count(130)
    expect(buyer.get_by_role("link", name="Older messages")).to_have_count(0)
    assert texts(buyer).all_inner_texts() == [f"Number {number}" for number in range(1, 131)]

    seller.goto(thread)
    say(seller, "Number 131")
    expect(buyer.locator("#jump")).to_contain_text("1")
    expect(message(buyer, "Number 131")).not_to_be_in_viewport()
    expect(status(seller, "Number 131")).to_have_text("Sent")
    buyer.locator("#jump").click()
    expect(message(buyer, "Number 131")).to_be_in_viewport()
    expect(status(seller, "Number 131")).to_have_text("Read")


TOP_OF_FIRST_SEEN = "() => window.firstSeen.getBoundingClientRect().top"
SCROLL_NEAR_THE_TOP = f"""() => {{
  const all = [...document.querySelectorAll(".message")];
  all[2].scrollIntoView({{ block: "start", behavior: "instant" }});
  window.firstSeen = all[4];
  return ({TOP_OF_FIRST_SEEN})();
}}"""


def test_days_are_those_of_the_reader(people: People, pair: Pair) -> None:
    """Fourteen hours ahead, where today's noon is already tomorrow's by another clock."""
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "Hello")
    seller.goto("/accounts/profile/")
    seller.get_by_label("Time zone").select_option("Pacific/Kiritimati")
    seller.get_by_role("button", name="Save").click()
    seller.goto(thread)
    say(buyer, "Is it late where you are?")
    row = seller.locator("#conversation-rows li").filter(has_text="Is it late where you are?")
    expect(row).to_be_visible()  # Whatever shows times has been brought up to date with it.
    assert seller.locator(".day").all_inner_texts() == ["Today"]


def test_a_long_word_widens_nothing(people: People, pair: Pair) -> None:
    narrow = {"width": 320, "height": 640}
    buyer = people.open(pair.buyer, viewport=narrow)
    seller = people.open(pair.seller, viewport=narrow)
    thread = start_talk(buyer, pair, "x" * LONGEST)
    for page, place in [
        (buyer, thread),
        (buyer, "/conversations/"),
        (buyer, pair.listing),
        (buyer, "/?q=" + "x" * 150),
        (seller, thread),
        (seller, "/seller/?state=all"),
        (seller, pair.listing),
    ]:
        page.goto(place)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, place
    seller.goto(thread)
    box = texts(seller).first.bounding_box()
    assert box
    assert box["width"] < 320 < box["height"]
