"""Real people in a real browser, each with cookies of their own, on the live marketplace."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests import chromium
from tests.cast import PASSWORD
from tests.live import Live
from tests.services.places import RUNS

PHONE = {"width": 375, "height": 812}
DESK = {"width": 1280, "height": 800}
SCREENSHOTS = RUNS / "screenshots"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """For this folder only: while it is open, its event loop is in the way of async tests."""
    path = chromium.find()
    assert path, "Chromium is missing: bin/test --install, or set CHROMIUM_PATH."
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


class People:
    """Opens pages for people, and remembers what their browsers complained about."""

    def __init__(self, browser: Browser, live: Live) -> None:
        self.browser = browser
        self.live = live
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(
        self, email: str = "", *, viewport: dict[str, int] | None = None, scripts: bool = True
    ) -> Page:
        """A page of a new browser profile; signed in when there is an address."""
        context = self.browser.new_context(
            base_url=self.live.url,
            viewport=viewport or DESK,  # type: ignore[arg-type]
            java_script_enabled=scripts,
            locale="en-GB",
            timezone_id="Europe/Madrid",
        )
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self.hear)
        if email:
            sign_in(page, email)
        return page

    def hear(self, message: ConsoleMessage) -> None:
        """A refused script or style is an error; a request that failed may be the test's point."""
        if message.type == "error" and "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def close(self) -> None:
        for context in self.contexts:
            context.close()


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.locator("form:has(input[name=password]) [type=submit]").click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)


@pytest.fixture
def people(browser: Browser, live: Live, request: pytest.FixtureRequest) -> Iterator[People]:
    opened = People(browser, live)
    failed_before = request.session.testsfailed
    yield opened
    if request.session.testsfailed > failed_before:
        photograph(opened, request.node.name)
    opened.close()
    assert opened.complaints == []


def photograph(people: People, name: str) -> None:
    for number, context in enumerate(people.contexts):
        for page in context.pages:
            page.screenshot(path=Path(SCREENSHOTS) / "failed" / f"{name}-{number}.png")


@pytest.fixture
def page_for(people: People) -> Callable[[str], Page]:
    """`page_for("ana@example.com")`: a signed-in page of her own."""
    return people.open
