"""Axe finds nothing on any kind of page, in both schemes."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.cast import Pair
from tests.browser.people import DESK, PHONE, People
from tests.browser.talking import say, start_talk

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESK), ("dark", PHONE)], ids=["light", "dark"]
)
def test_every_page_is_accessible(
    people: People, pair: Pair, scheme: str, viewport: dict[str, int]
) -> None:
    people.expect_complaints("404 (Not Found)", "400 (Bad Request)")
    visitor = people.open(viewport=viewport, scheme=scheme)
    buyer = people.open(pair.buyer, viewport=viewport, scheme=scheme)
    seller = people.open(pair.seller, viewport=viewport, scheme=scheme)
    places = ["/", "/?q=nothing+of+the+kind", "/accounts/login/", "/accounts/signup/", "/nowhere/"]
    expect_accessible(visitor, *places, "/accounts/password/reset/", pair.listing)
    thread = start_talk(buyer, pair, "Is it still available?", "I could come today.")
    expect_accessible(seller, "/seller/", "/seller/?state=starred", pair.listing, thread)
    say(seller, "Come at six.")
    expect_accessible(buyer, "/conversations/", "/accounts/profile/", thread)
    expect_accessible(seller, "/sell/", "/sell/new/", f"/sell/{pair.slug}/")


def expect_accessible(page: Page, *places: str) -> None:
    for place in places:
        page.goto(place)
        expect_no_violation(page)


def expect_no_violation(page: Page) -> None:
    expect(page.locator("main")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
