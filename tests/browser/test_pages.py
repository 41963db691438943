"""Every kind of page, as a signed-out and a signed-in person sees it."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, SCREENSHOTS, People

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_a_visitor_browses_and_opens_a_listing(people: People, viewport: dict[str, int]) -> None:
    page = people.open(viewport=viewport)
    page.goto("/")
    listing = page.locator("main a[href^='/listings/']").first
    expect(listing).to_be_visible()
    page.screenshot(path=SCREENSHOTS / f"browse-{viewport['width']}.png", full_page=True)
    page.goto(str(listing.get_attribute("href")))
    expect(page.locator("main textarea").first).to_have_attribute("name", "message")
    page.screenshot(path=SCREENSHOTS / f"listing-{viewport['width']}.png", full_page=True)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_demo_people_sign_in(people: People, scripts: bool) -> None:
    page = people.open("ana@example.com", scripts=scripts)
    page.goto("/conversations/")
    expect(page.locator("main")).to_be_visible()
    assert page.url.endswith("/conversations/")
