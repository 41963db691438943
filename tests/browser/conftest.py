"""Real people in a real browser, each with cookies of their own, on the live marketplace."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Playwright, expect, sync_playwright

from tests import chromium
from tests.browser.cast import Cast, Pair
from tests.browser.outages import (
    buyer,
    distant_browser,
    distant_people,
    keeping_people,
    proxy,
    seller,
)
from tests.browser.people import PATIENCE, People
from tests.live import Live
from tests.services.places import RUNS

__all__ = ["buyer", "distant_browser", "distant_people", "keeping_people", "proxy", "seller"]

FAILED = RUNS / "screenshots" / "failed"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """For this folder only: while it is open, its event loop is in the way of async tests."""
    with sync_playwright() as playwright:
        launched = launch_browser(playwright)
        yield launched
        launched.close()


def launch_browser(playwright: Playwright) -> Browser:
    path = chromium.find()
    assert path, "Chromium is missing: bin/test --install, or set CHROMIUM_PATH."
    expect.set_options(timeout=PATIENCE)
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])


@pytest.fixture(scope="package")
def cast(live: Live) -> Cast:
    return Cast(live)


@pytest.fixture
def pair(cast: Cast) -> Pair:
    """A buyer, and a seller with one listing, whom nobody has met before."""
    return cast.next_pair()


@pytest.fixture
def people(browser: Browser, live: Live, request: pytest.FixtureRequest) -> Iterator[People]:
    """At the end no browser may have had anything to complain about."""
    opened = People(browser, live)
    failed_before = request.session.testsfailed
    yield opened
    if request.session.testsfailed > failed_before:
        photograph(opened, request.node.name)
    opened.close()
    assert opened.complaints == []


def photograph(people: People, name: str) -> None:
    pages = [page for context in people.contexts for page in context.pages]
    for number, page in enumerate(pages):
        try:
            page.screenshot(path=FAILED / f"{name}-{number}.png")
        except Error as error:  # A closed page has nothing to show, and is not what failed.
            print(f"no picture of page {number}: {error}")
