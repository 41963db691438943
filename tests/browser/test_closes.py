"""What a page makes of the code with which its socket is closed: 44xx come back, 45xx do not."""

import json

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.cast import Pair
from tests.browser.people import People
from tests.browser.talking import composer, message, say, start_talk, wait_until
from tests.browser.test_accessibility import expect_no_violation

pytestmark = [pytest.mark.browser, pytest.mark.processes]

STEADY = 10_100  # milliseconds, after which the pauses start over
PIN_CHANCE = "(chance) => { Math.random = () => chance }"


class Sockets:
    """Those of a page to its room, in order. What is closed before it is ready stays open: the page
    would not hear of it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.opened: list[WebSocketRoute] = []
        self.ready: list[WebSocketRoute] = []
        page.route_web_socket("**/ws/room/**", self._pass_on)

    def _pass_on(self, socket: WebSocketRoute) -> None:
        self.opened.append(socket)

        def hear(text: str | bytes) -> None:
            socket.send(text)
            if json.loads(text)["type"] == "ready":
                self.ready.append(socket)

        socket.connect_to_server().on_message(hear)

    def expect_back(self, before: int) -> None:
        wait_until(self.page, lambda: len(self.ready) > before)
        assert len(self.opened) == len(self.ready) == before + 1


class Closing(Sockets):
    """A thread whose socket the test closes, and whose clock stands still but for what it runs."""

    def __init__(self, page: Page, thread: str) -> None:
        self.thread = thread
        page.goto("about:blank")  # The thread's own page may open its socket late.
        page.clock.install()
        super().__init__(page)
        self.open_anew()

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


def test_those_that_ask_for_a_pause(distant_people: People, people: People, pair: Pair) -> None:
    """4429 and 4412: not at once, but by itself; 4430: when somebody looks."""
    buyer, seller = distant_people.open(pair.buyer), people.open(pair.seller)
    seller.goto(start_talk(buyer, pair, "Hello"))
    # Of what the server still says to a socket that the route has closed in between.
    distant_people.expect_complaints("WebSocket is already in CLOSING or CLOSED state")
    buyer.clock.install()
    sockets = Sockets(buyer)
    buyer.reload()
    sockets.expect_back(0)
    here = buyer.locator("#presence")
    sockets.opened[-1].close(code=4429)
    buyer.clock.run_for(2_100)
    expect(buyer.get_by_text("No connection.")).to_be_visible()
    expect(here).to_have_text("")
    expect_no_violation(buyer)
    buyer.evaluate("() => window.dispatchEvent(new Event('online'))")
    buyer.clock.run_for(3_000)
    assert len(sockets.opened) == 1
    buyer.clock.run_for(17_000)
    sockets.expect_back(1)
    expect(here).to_have_text("here now")
    sockets.opened[-1].close(code=4412)
    buyer.clock.run_for(5_000)
    sockets.expect_back(2)
    sockets.opened[-1].close(code=4430)
    expect(buyer.get_by_text("You have many tabs open.")).to_be_visible()
    expect_no_violation(buyer)
    buyer.clock.run_for(60_000)
    assert len(sockets.opened) == 3
    buyer.evaluate("() => window.dispatchEvent(new Event('focus'))")
    expect(here).to_have_text("here now")
    say(buyer, "Back again")
    expect(message(seller, "Back again")).to_be_visible()
