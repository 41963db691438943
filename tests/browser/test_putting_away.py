"""Star, mute, archive, block and leave: on every page of the person, and for the other side."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.cast import Pair
from tests.browser.people import People
from tests.browser.talking import (
    composer,
    is_same_document,
    message,
    remember_document,
    say,
    start_talk,
    status,
)

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def rows(page: Page) -> Locator:
    return page.locator("#conversation-rows li")


def choose(page: Page, name: str) -> None:
    """In the menu of the conversation that is open."""
    page.locator(".card__menu summary").click()
    panel = page.locator(".card__panel")
    panel.get_by_role("button", name=name).or_(panel.get_by_role("link", name=name)).click()


def mark(page: Page, name: str) -> Locator:
    return page.locator(f"#thread [data-mark='{name}']")


def test_a_star_shows_in_every_tab(people: People, pair: Pair) -> None:
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "Hello")
    inbox = buyer.context.new_page()
    inbox.goto("/conversations/")
    buyer.goto(thread)
    seller.goto(thread)
    for page in (buyer, inbox, seller):
        remember_document(page)
    inbox.get_by_role("button", name="Star").click()
    expect(inbox.get_by_role("button", name="Remove the star")).to_be_visible()
    expect(inbox.get_by_role("button", name="Remove the star")).to_be_focused()
    expect(rows(inbox).locator("a")).to_contain_text("starred")
    expect(mark(buyer, "starred")).to_be_visible()
    expect(rows(buyer).locator("a")).to_contain_text("starred")
    choose(buyer, "Remove the star")
    expect(mark(buyer, "starred")).to_be_hidden()
    expect(rows(inbox).locator("a")).not_to_contain_text("starred")
    expect(inbox.get_by_role("button", name="Remove the star")).to_have_count(0)

    choose(buyer, "Mute")
    expect(mark(buyer, "muted")).to_be_visible()
    expect(rows(inbox).locator("a")).to_contain_text("muted")
    say(seller, "Nothing of yours shows here")
    expect(message(buyer, "Nothing of yours shows here")).to_be_visible()
    expect(mark(seller, "starred")).to_be_hidden()
    expect(mark(seller, "muted")).to_be_hidden()
    for page in (buyer, inbox, seller):
        assert is_same_document(page)


def test_what_is_archived_can_be_brought_back_at_once(people: People, pair: Pair) -> None:
    buyer = people.open(pair.buyer)
    thread = start_talk(buyer, pair, "Hello")
    second = buyer.context.new_page()
    second.goto(thread)
    buyer.goto("/conversations/")
    remember_document(buyer)
    buyer.get_by_role("button", name="Archive").click()
    expect(rows(buyer)).to_have_count(0)
    expect(mark(second, "archived")).to_be_visible()
    buyer.get_by_role("button", name="Undo").click()
    expect(rows(buyer)).to_have_count(1)
    expect(buyer.get_by_role("button", name="Undo")).to_be_hidden()
    expect(buyer.get_by_role("link", name="All")).to_be_focused()
    expect(mark(second, "archived")).to_be_hidden()
    assert is_same_document(buyer)

    choose(second, "Archive")
    expect(second.locator(".card__menu summary")).to_be_focused()
    expect(rows(buyer)).to_have_count(0)
    buyer.get_by_role("link", name="Archived").click()
    expect(rows(buyer)).to_have_count(1)
    expect(rows(buyer).get_by_role("button", name="Take out of the archive")).to_be_attached()
    second.get_by_role("button", name="Take it out").click()
    expect(rows(buyer)).to_have_count(0)
    expect(mark(second, "archived")).to_be_hidden()
    expect(second.locator(".card__menu summary")).to_be_focused()


def test_a_new_message_takes_it_out_of_the_archive(people: People, pair: Pair) -> None:
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "Hello")
    buyer.goto(thread)
    choose(buyer, "Archive")
    expect(mark(buyer, "archived")).to_be_visible()
    seller.goto(thread)
    say(seller, "Still interested?")
    expect(message(buyer, "Still interested?")).to_be_visible()
    expect(mark(buyer, "archived")).to_be_hidden()


def test_a_change_that_cannot_be_made_is_said(people: People, pair: Pair) -> None:
    people.expect_complaints("ERR_INTERNET_DISCONNECTED", "WebSocket connection")
    buyer = people.open(pair.buyer)
    start_talk(buyer, pair, "Hello")
    buyer.goto("/conversations/")
    buyer.context.set_offline(True)
    buyer.get_by_role("button", name="Star").click()
    expect(buyer.locator("#notices")).to_contain_text("it is not known")
    buyer.context.set_offline(False)
    buyer.get_by_role("button", name="Star").click()
    expect(rows(buyer).locator("a")).to_contain_text("starred")
    expect(buyer.locator("[data-notice='refused']")).to_be_hidden()


def test_who_is_blocked_cannot_write_until_unblocked(people: People, pair: Pair) -> None:
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "Hello")
    buyer.goto(thread)
    seller.goto(thread)
    expect(buyer.locator("#presence")).to_have_text("here now")
    composer(buyer).fill("Are you there?")
    remember_document(buyer)
    choose(seller, f"Block {pair.buyer.name}")
    expect(seller.locator(".closed")).to_contain_text(f"You have blocked {pair.buyer.name}.")
    expect(composer(seller)).to_have_count(0)
    expect(buyer.locator(".closed")).to_contain_text("blocked the other")
    expect(buyer.locator(".closed")).to_contain_text("Are you there?")
    expect(composer(buyer)).to_be_hidden()
    expect(buyer.get_by_role("button", name="Unblock")).to_have_count(0)

    seller.goto("/people/blocked/")
    expect(seller.locator(".blocked li")).to_contain_text(pair.buyer.name)
    seller.get_by_role("button", name="Unblock").click()
    expect(seller.locator(".blocked li")).to_have_count(0)
    expect(seller.get_by_role("heading", name="You have blocked nobody")).to_be_visible()
    expect(composer(buyer)).to_be_visible()
    assert is_same_document(buyer)
    composer(buyer).press("Enter")
    expect(status(buyer, "Are you there?")).to_have_text("Sent")


def test_who_leaves_has_left_everywhere(people: People, pair: Pair) -> None:
    people.expect_complaints("404 (Not Found)")
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "Hello")
    second = buyer.context.new_page()
    second.goto(thread)
    seller.goto(thread)
    buyer.goto(thread)
    expect(second.locator("#presence")).to_have_text("here now")
    choose(buyer, "Leave")
    buyer.get_by_role("link", name="Stay").click()
    expect(buyer).to_have_url(thread)
    choose(buyer, "Leave")
    buyer.get_by_role("button", name="Leave").click()
    expect(rows(buyer)).to_have_count(0)
    expect(second.locator("#connection-line")).to_contain_text(
        "This conversation is no longer open to you.", use_inner_text=True
    )
    expect(composer(second)).to_be_hidden()
    expect(seller.locator(".closed")).to_be_visible()
    seller.reload()
    expect(message(seller, "Hello")).to_be_visible()
    expect(seller.locator(".closed")).to_be_visible()


def test_without_scripts_it_is_all_there(people: People, pair: Pair) -> None:
    buyer = people.open(pair.buyer, scripts=False)
    thread = start_talk(buyer, pair, "Hello")
    buyer.goto("/conversations/")
    buyer.get_by_role("button", name="Star").click()
    expect(buyer.get_by_role("button", name="Remove the star")).to_be_visible()
    expect(rows(buyer).locator("a")).to_contain_text("starred")
    buyer.get_by_role("button", name="Archive").click()
    expect(rows(buyer)).to_have_count(0)
    buyer.get_by_role("link", name="Archived").click()
    buyer.get_by_role("button", name="Take out of the archive").click()
    expect(rows(buyer)).to_have_count(0)

    buyer.goto(thread)
    choose(buyer, "Mute")
    expect(buyer).to_have_url(thread)
    expect(mark(buyer, "muted")).to_be_visible()
    choose(buyer, "Archive")
    expect(buyer).to_have_url(thread)
    buyer.get_by_role("button", name="Take it out").click()
    expect(mark(buyer, "archived")).to_be_hidden()
    choose(buyer, f"Block {pair.seller.name}")
    expect(buyer).to_have_url(thread)
    expect(composer(buyer)).to_have_count(0)
    buyer.locator(".closed").get_by_role("button", name="Unblock").click()
    expect(composer(buyer)).to_be_visible()
    choose(buyer, "Leave")
    buyer.get_by_role("button", name="Leave").click()
    buyer.goto("/conversations/")
    expect(rows(buyer)).to_have_count(0)
