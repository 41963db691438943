"""Axe finds nothing in what opens in a thread, nor on the pages that stand in for it."""

import pytest
from playwright.sync_api import expect

from tests.browser.cast import Pair
from tests.browser.people import DESK, PHONE, People
from tests.browser.talking import start_talk
from tests.browser.test_accessibility import expect_accessible, expect_no_violation

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", PHONE), ("dark", DESK)], ids=["light", "dark"]
)
def test_everything_that_opens_in_a_thread_is_accessible(
    people: People, pair: Pair, scheme: str, viewport: dict[str, int]
) -> None:
    people.expect_complaints("400 (Bad Request)")
    buyer = people.open(pair.buyer, viewport=viewport, scheme=scheme)
    thread = start_talk(buyer, pair, "Is it still available?", "I could come today.")
    expect_accessible(buyer, f"{thread}messages/2/edit/", f"{thread}messages/1/delete/")
    expect_accessible(buyer, f"{thread}leave/", "/people/blocked/", thread)
    menu = buyer.locator(".message__menu").last
    menu.locator("summary").press("Enter")
    expect_no_violation(buyer)
    menu.get_by_role("link", name="Edit").click()
    buyer.get_by_role("textbox", name="Your message").fill("x" * 4001)
    buyer.get_by_role("button", name="Save").click()
    expect(buyer.get_by_role("alert")).to_be_visible()
    expect_no_violation(buyer)
    buyer.get_by_role("button", name="Cancel").click()
    menu.locator("summary").press("Enter")
    menu.get_by_role("link", name="Delete").click()
    expect_no_violation(buyer)
    buyer.get_by_role("button", name="Delete", exact=True).click()
    expect(buyer.get_by_text("This message was deleted").first).to_be_visible()

    buyer.locator(".card__menu summary").click()
    expect_no_violation(buyer)
    buyer.get_by_role("button", name="Archive", exact=True).click()
    expect(buyer.get_by_text("This conversation is archived.")).to_be_visible()
    expect_no_violation(buyer)
    buyer.locator(".card__menu summary").click()
    buyer.get_by_role("button", name=f"Block {pair.seller.name}").click()
    expect(buyer.get_by_role("button", name="Unblock", exact=True)).to_be_visible()
    expect_accessible(buyer, thread, "/people/blocked/", "/conversations/?state=archived")
