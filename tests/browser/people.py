"""People at their browsers, each with a profile of their own."""

from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, WebSocket

from tests.browser.cast import Person
from tests.cast import PASSWORD
from tests.live import Live

PHONE = {"width": 375, "height": 812}
DESK = {"width": 1280, "height": 800}
PATIENCE = 10_000  # milliseconds
# A page that a test has changed on its way is from nowhere, to Chromium, and its sockets to this
# machine are refused now and then (ERR_BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS).
MAY_REACH_THIS_MACHINE = "local-network-access"
# What Chromium says when somebody leaves a page whose socket is still opening.
LEFT_AT_ONCE = "WebSocket is closed before the connection is established"


class People:
    """Opens pages for people, and keeps what their browsers complained about."""

    def __init__(self, browser: Browser, live: Live) -> None:
        self.browser = browser
        self.live = live
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = (LEFT_AT_ONCE,)

    def open(
        self,
        person: Person | None = None,
        *,
        viewport: dict[str, int] | None = None,
        scripts: bool = True,
        scheme: str = "light",
    ) -> Page:
        """A page of a new browser profile; signed in as the person."""
        context = self.browser.new_context(
            base_url=self.live.url,
            viewport=viewport or DESK,  # type: ignore[arg-type]
            has_touch=viewport == PHONE,
            is_mobile=viewport == PHONE,
            java_script_enabled=scripts,
            color_scheme=scheme,  # type: ignore[arg-type]
            locale="en-GB",
            timezone_id="Europe/Madrid",
            permissions=[MAY_REACH_THIS_MACHINE],
        )
        context.set_default_timeout(PATIENCE)
        context.on("request", self.watch)
        context.on("console", self.hear)
        context.on("weberror", lambda error: self.complain(str(error.error)))
        self.contexts.append(context)
        if person:
            cookie = {"name": "sessionid", "value": person.session, "url": self.live.url}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.on("websocket", self.watch)
        return page

    def hear(self, message: ConsoleMessage) -> None:
        """Errors, and with them everything that the content security policy refuses."""
        if message.type in {"error", "warning"}:
            self.complain(f"{message.text} ({message.location})")

    def complain(self, words: str) -> None:
        if not any(text in words for text in self.expected):
            self.complaints.append(words)

    def watch(self, request: Request | WebSocket) -> None:
        """Nothing but the marketplace itself is ever asked for anything."""
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != urlsplit(self.live.url).netloc:
            self.complaints.append(f"asked for {request.url}")

    def expect_complaints(self, *texts: str) -> None:
        """What the test brings about itself: a page that is not there, a server that is down."""
        self.expected += texts

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.contexts.clear()


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """By the form, wherever the page came to it from."""
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.locator("form:has(input[name=password]) [type=submit]").click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)
