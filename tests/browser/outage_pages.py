"""What a thread looks like while something is wrong, one state after the other."""

import json
from collections.abc import Iterator

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.cast import Pair
from tests.browser.outages import SLOW, WAITING
from tests.browser.talking import composer, message, post, press_send, start_talk, status

GO_AHEAD_LATER = {"type": "error", "code": "rate_limited", "detail": "", "retry_after": 5}


class Line:
    """Between a thread's page and the marketplace; the test says how it is."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.is_down = self.refuses_next = False
        self.sockets: list[WebSocketRoute] = []
        page.route_web_socket("**/ws/room/**", self._open)

    def _open(self, socket: WebSocketRoute) -> None:
        if self.is_down:
            return socket.close(code=4411)
        server = socket.connect_to_server()
        self.sockets.append(socket)

        def pass_on(text: str | bytes) -> None:
            frame = json.loads(text)
            if not self.refuses_next or frame["type"] != "chat_message":
                return server.send(text)
            self.refuses_next = False
            key = {"client_message_id": frame["client_message_id"]}
            return socket.send(json.dumps(GO_AHEAD_LATER | key))

        socket.on_message(pass_on)

    def close(self, code: int = 4411) -> None:
        self.sockets[-1].close(code=code)

    def break_down(self) -> None:
        self.is_down = True
        self.page.context.set_offline(True)
        self.close()

    def heal(self) -> None:
        self.is_down = False
        self.page.context.set_offline(False)


def open_outage_pages(buyer: Page, seller: Page, pair: Pair) -> Iterator[str]:
    """The names of the states, each while the buyer's page shows it."""
    line = Line(buyer)
    seller.goto(start_talk(buyer, pair, "Is it still there?"))
    press_send(seller, "It is. Would you like to see it?")
    expect(message(buyer, "It is. Would you like to see it?")).to_be_visible()
    line.refuses_next = True
    press_send(buyer, "Yes, please")
    expect(status(buyer, "Yes, please")).to_have_text("Sent in a moment")
    yield "paused"
    line.break_down()
    press_send(buyer, "On Saturday morning?")
    expect(buyer.get_by_text("No connection.")).to_be_visible(**SLOW)
    expect(status(buyer, "Yes, please")).to_have_text(WAITING, **SLOW)
    yield "no-connection"
    block = f"/people/{seller.locator('#thread').get_attribute('data-other')}/block/"
    post(seller, block, on="1")
    line.heal()
    expect(status(buyer, "Yes, please")).to_contain_text("Not sent", **SLOW)
    yield "refused"
    post(seller, block, on="0")
    yield from ends(line, buyer.url)


def ends(line: Line, thread: str) -> Iterator[str]:
    """What nobody comes back from by themselves."""
    line.page.goto(thread)
    expect(line.page.locator("#presence")).to_have_text("here now")
    line.close(4503)
    expect(composer(line.page)).to_be_hidden()
    yield "removed"
    line.page.goto(thread)
    expect(line.page.locator("#presence")).to_have_text("here now")
    line.page.context.clear_cookies()
    line.close(4501)
    expect(line.page.get_by_text("You are signed out.").first).to_be_visible(**SLOW)
    yield "signed-out"
