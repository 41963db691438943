"""Messages are edited and deleted in their place, and everybody who looks follows."""

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.cast import Pair
from tests.browser.people import People
from tests.browser.talking import (
    composer,
    is_same_document,
    message,
    messages,
    post,
    remember_document,
    say,
    start_talk,
    status,
    texts,
)

pytestmark = [pytest.mark.browser, pytest.mark.processes]

DELETED = "This message was deleted"


def open_actions(page: Page, text: str) -> Locator:
    """The menu beside one's own message, opened with the keyboard."""
    menu = message(page, text).locator(".message__menu")
    menu.locator("summary").press("Enter")
    return menu


def edit_field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Your message")


def test_an_edit_is_seen_by_everybody_who_looks(people: People, pair: Pair) -> None:
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "I come at sx.")
    second = buyer.context.new_page()
    second.goto(thread)
    seller.goto(thread)
    expect(status(buyer, "I come at sx.")).to_have_text("Read")
    for page in (buyer, second, seller):
        remember_document(page)

    open_actions(buyer, "I come at sx.").get_by_text("Edit").click()
    expect(edit_field(buyer)).to_be_focused()
    expect(edit_field(buyer)).to_have_value("I come at sx.")
    edit_field(buyer).fill("I come at six.")
    edit_field(buyer).press("Enter")
    for page in (buyer, second, seller):
        expect(message(page, "I come at six.").locator(".message__edited")).to_be_visible()
        expect(messages(page)).to_have_count(1)
        assert is_same_document(page)
    expect(edit_field(buyer)).to_have_count(0)
    expect(buyer.locator("#said")).to_have_text("Your message is changed.")
    expect(status(buyer, "I come at six.")).to_have_text("Read")
    expect(message(buyer, "I come at six.").locator("summary")).to_be_focused()
    expect(seller.locator("#announcements")).to_be_empty()
    expect(seller.locator(".message__menu")).to_have_count(0)
    expect(seller.locator("#conversation-rows li")).to_contain_text("I come at six.")
    seller.reload()
    expect(message(seller, "I come at six.").locator(".message__edited")).to_be_visible()


def test_up_edits_the_last_own_message_and_escape_leaves_it(people: People, pair: Pair) -> None:
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "First")
    expect(composer(buyer)).to_be_focused()
    say(buyer, "Second")
    expect(status(buyer, "Second")).to_have_text("Sent")
    seller.goto(thread)
    say(seller, "From the other side")
    expect(message(buyer, "From the other side")).to_be_visible()

    composer(buyer).fill("A draft")
    composer(buyer).press("ArrowUp")
    expect(edit_field(buyer)).to_have_count(0)
    composer(buyer).fill("")
    composer(buyer).press("ArrowUp")
    expect(edit_field(buyer)).to_have_value("Second")
    edit_field(buyer).fill("Not kept")
    edit_field(buyer).press("Escape")
    expect(composer(buyer)).to_be_focused()
    assert texts(buyer).all_inner_texts() == ["First", "Second", "From the other side"]
    composer(buyer).press("ArrowUp")
    edit_field(buyer).fill("Third")
    edit_field(buyer).press("Shift+Enter")
    edit_field(buyer).press_sequentially("line")
    buyer.get_by_role("button", name="Save").click()
    expect(message(seller, "Third line")).to_be_visible()
    expect(composer(buyer)).to_be_focused()


def test_a_deletion_asks_once_and_leaves_a_placeholder(people: People, pair: Pair) -> None:
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "Hello", "My number is 555 0199.")
    second = buyer.context.new_page()
    for page in (buyer, second, seller):
        page.goto(thread)

    menu = open_actions(buyer, "My number is 555 0199.")
    menu.get_by_text("Delete").click()
    buyer.get_by_role("button", name="Keep it").click()
    expect(menu.locator("summary")).to_be_focused()
    assert texts(seller).all_inner_texts() == ["Hello", "My number is 555 0199."]
    menu.locator("summary").press("Enter")
    menu.get_by_text("Delete").press("Enter")
    question = buyer.get_by_role("form", name="Delete your message")
    expect(question.get_by_role("button", name="Delete")).to_be_focused()
    question.get_by_role("button", name="Delete").press("Enter")
    for page in (buyer, second, seller):
        expect(texts(page)).to_have_text(["Hello", DELETED])
        expect(page.get_by_text("555 0199")).to_have_count(0)
    expect(composer(buyer)).to_be_focused()
    expect(messages(buyer).last.locator("summary")).to_be_hidden()
    seller.reload()
    expect(texts(seller)).to_have_text(["Hello", DELETED])


def test_what_changed_while_away_is_there_on_return(people: People, pair: Pair) -> None:
    people.expect_complaints("ERR_INTERNET_DISCONNECTED", "WebSocket connection")
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "One", "Two")
    buyer.goto(thread)
    seller.goto(thread)
    expect(seller.locator("#presence")).to_have_text("here now")
    seller.context.set_offline(True)
    seller.evaluate("window.dispatchEvent(new Event('pageshow'))")
    composer(buyer).press("ArrowUp")
    edit_field(buyer).fill("Two and a half")
    edit_field(buyer).press("Enter")
    expect(message(buyer, "Two and a half")).to_be_visible()
    open_actions(buyer, "One").get_by_text("Delete").click()
    buyer.get_by_role("button", name="Delete", exact=True).click()
    expect(texts(buyer)).to_have_text([DELETED, "Two and a half"])
    seller.context.set_offline(False)
    expect(texts(seller)).to_have_text([DELETED, "Two and a half"])
    expect(seller.locator("#announcements")).to_be_empty()


def test_without_a_connection_nothing_is_changed_and_nothing_lost(
    people: People, pair: Pair
) -> None:
    people.expect_complaints("ERR_INTERNET_DISCONNECTED", "WebSocket connection")
    buyer = people.open(pair.buyer)
    buyer.goto(start_talk(buyer, pair, "Written in haste"))
    composer(buyer).press("ArrowUp")
    edit_field(buyer).fill("Written with care")
    buyer.context.set_offline(True)
    edit_field(buyer).press("Enter")
    alert = buyer.get_by_role("alert")
    expect(alert).to_contain_text("No answer came, so it is not known whether this was done.")
    expect(edit_field(buyer)).to_have_value("Written with care")
    buyer.context.set_offline(False)
    edit_field(buyer).press("Enter")
    expect(message(buyer, "Written with care")).to_be_visible()


def test_an_answer_that_comes_late_brings_nothing_back(people: People, pair: Pair) -> None:
    """The phone deletes the message while the desk still waits to hear of its edit."""
    buyer = people.open(pair.buyer)
    thread = start_talk(buyer, pair, "Hello")
    expect(composer(buyer)).to_be_focused()
    phone = buyer.context.new_page()
    phone.goto(thread)

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        post(phone, f"{thread}messages/1/delete/")
        expect(messages(buyer).first).to_contain_text(DELETED)
        route.fulfill(response=answer)

    buyer.route("**/edit/", answer_late)
    composer(buyer).press("ArrowUp")
    edit_field(buyer).fill("My card is 1234")
    with buyer.expect_response("**/edit/"):
        edit_field(buyer).press("Enter")
    buyer.evaluate("new Promise((done) => setTimeout(done))")
    assert texts(buyer).all_inner_texts() == [DELETED]
    expect(buyer.locator("#said")).to_be_empty()
    say(buyer, "After it")
    expect(status(buyer, "After it")).to_have_text("Sent")
    assert texts(buyer).all_inner_texts() == [DELETED, "After it"]


def test_an_empty_text_is_refused_in_words(people: People, pair: Pair) -> None:
    people.expect_complaints("400 (Bad Request)")
    buyer = people.open(pair.buyer)
    buyer.goto(start_talk(buyer, pair, "Something"))
    composer(buyer).press("ArrowUp")
    edit_field(buyer).fill("x" * 4001)
    edit_field(buyer).press("Enter")
    expect(buyer.get_by_role("alert")).to_contain_text("too long")
    edit_field(buyer).press("Escape")
    assert texts(buyer).all_inner_texts() == ["Something"]


def test_what_the_time_forbids_goes_while_the_page_is_open(people: People, pair: Pair) -> None:
    buyer = people.open(pair.buyer)
    thread = start_talk(buyer, pair, "Soon old")
    buyer.clock.install()
    buyer.goto(thread)
    menu = message(buyer, "Soon old").locator(".message__menu")
    expect(menu.locator("summary")).to_be_attached()
    expect(menu).to_be_visible()
    buyer.clock.run_for(6 * 60 * 1000)
    menu.locator("summary").press("Enter")
    expect(menu.get_by_text("Delete")).to_be_visible()
    expect(menu.get_by_text("Edit")).to_be_hidden()
    menu.locator("summary").press("Escape")
    buyer.clock.run_for(10 * 60 * 1000)
    expect(menu).to_be_hidden()
    composer(buyer).press("ArrowUp")
    expect(edit_field(buyer)).to_have_count(0)


def test_without_scripts_a_message_is_edited_and_deleted(people: People, pair: Pair) -> None:
    people.expect_complaints("400 (Bad Request)")
    buyer = people.open(pair.buyer, scripts=False)
    thread = start_talk(buyer, pair, "I come at sx.")
    buyer.goto(thread)
    menu = message(buyer, "I come at sx.").locator(".message__menu")
    menu.locator("summary").click()
    menu.get_by_role("link", name="Edit").click()
    field = buyer.get_by_label("Your message")
    expect(field).to_have_value("I come at sx.")
    field.fill("x" * 4001)
    buyer.get_by_role("button", name="Save").click()
    expect(buyer.get_by_role("alert")).to_contain_text("too long")
    field.fill("I come at six.")
    buyer.get_by_role("button", name="Save").click()
    expect(buyer).to_have_url(thread)
    expect(message(buyer, "I come at six.").locator(".message__edited")).to_be_visible()

    menu = message(buyer, "I come at six.").locator(".message__menu")
    menu.locator("summary").click()
    menu.get_by_role("link", name="Delete").click()
    expect(buyer.locator("main")).to_contain_text("I come at six.")
    buyer.get_by_role("button", name="Delete").click()
    expect(buyer).to_have_url(thread)
    expect(texts(buyer)).to_have_text([DELETED])
