"""What a page makes of the code with which its socket is closed: 44xx come back, 45xx do not."""

import json

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.cast import Pair
from tests.browser.people import People
from tests.browser.talking import composer, start_talk, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

STEADY = 10_100  # milliseconds, after which the pauses start over
PIN_CHANCE = "(chance) => { Math.random = () => chance }"


class Closing:
    """A thread whose socket the test closes, and whose clock stands still but for what it runs."""

    def __init__(self, page: Page, thread: str) -> None:
        self.page, self.thread = page, thread
        self.opened: list[WebSocketRoute] = []
        self.ready: list[WebSocketRoute] = []
        page.goto("about:blank")  # The thread's own page may open its socket late.
        page.clock.install()
        page.route_web_socket("**/ws/room/**", self._pass_on)
        self.open_anew()

    def _pass_on(self, socket: WebSocketRoute) -> None:
        self.opened.append(socket)

        def hear(text: str | bytes) -> None:
            socket.send(text)
            if json.loads(text)["type"] == "ready":
                self.ready.append(socket)

        socket.connect_to_server().on_message(hear)

    def open_anew(self) -> None:
        before = len(self.opened)
        self.page.goto(self.thread)
        self.expect_back(before)
        self.page.clock.pause_at(self.page.evaluate("() => Date.now() / 1000 + 1"))

    def close(self, code: int, *, chance: float = 0) -> int:
        """Of a socket that had been open for a while. How many there were until then."""
        self.page.clock.run_for(STEADY)
        self.page.evaluate(PIN_CHANCE, chance)
        self.opened[-1].close(code=code)
        return len(self.opened)

    def expect_back(self, before: int) -> None:
        wait_until(self.page, lambda: len(self.ready) > before)
        assert len(self.opened) == len(self.ready) == before + 1

    def expect_no_more(self, before: int) -> None:
        self.page.wait_for_timeout(200)  # For this side to hear of one.
        assert len(self.opened) == before


@pytest.fixture
def closing(distant_people: People, pair: Pair) -> Closing:
    # Of what the server still says to a socket that the route has closed in between.
    distant_people.expect_complaints("WebSocket is already in CLOSING or CLOSED state")
    page = distant_people.open(pair.buyer)
    return Closing(page, start_talk(page, pair, "Hello"))


def test_44xx_come_back(closing: Closing) -> None:
    for code in (4400, 4408, 4411, 4413):
        before = closing.close(code, chance=0.99)
        closing.page.clock.run_for(12_000)
        closing.expect_back(before)


def test_after_a_restart_they_come_back_one_by_one(closing: Closing) -> None:
    """Each at a moment of its own: everybody is told at once."""
    before = closing.close(4412, chance=0.99)
    closing.page.clock.run_for(2_900)
    closing.expect_no_more(before)
    closing.page.clock.run_for(700)
    closing.expect_back(before)
    before = closing.close(4412, chance=0)
    closing.page.clock.run_for(1)
    closing.expect_back(before)


def test_45xx_do_not_come_back(closing: Closing) -> None:
    before = closing.close(4503)
    closing.page.clock.run_for(60_000)
    closing.expect_no_more(before)
    expect(composer(closing.page)).to_be_hidden()

    closing.open_anew()
    closing.page.context.clear_cookies()
    before = closing.close(4501)
    closing.page.clock.run_for(2_100)  # Then it asks whether it is still signed in.
    expect(closing.page.get_by_text("You are signed out.").first).to_be_visible()
    closing.page.clock.run_for(60_000)
    closing.expect_no_more(before)
