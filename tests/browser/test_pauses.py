"""Whoever writes faster than the marketplace takes it is asked to wait, and their page does."""

import json

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.cast import Pair
from tests.browser.outages import expect_at
from tests.browser.people import People
from tests.browser.talking import say, start_talk, status

pytestmark = [pytest.mark.browser, pytest.mark.processes]

IN_A_MOMENT = "Sent in a moment"
# Where it is added to twenty seconds, the time of the end is rounded up when it is written down.
ROUNDED_UP = "Math.random = () => 3e-8;"


def refuse_first(page: Page, *, seconds: int) -> list[str]:
    """The first message that the page sends meets a refusal, the others the marketplace. Gives what
    is sent, as it is."""
    tried: list[str] = []

    def stand_between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            frame = json.loads(text)
            if frame["type"] != "chat_message":
                return server.send(text)
            tried.append(frame["message"])
            if len(tried) > 1:
                return server.send(text)
            refusal = {
                "type": "error",
                "code": "rate_limited",
                "detail": "",
                "retry_after": seconds,
            }
            key = {"client_message_id": frame["client_message_id"]}
            return socket.send(json.dumps(refusal | key))

        socket.on_message(pass_on)

    page.route_web_socket("**/ws/room/**", stand_between)
    page.clock.install()
    page.reload()
    expect(page.locator("#presence")).to_have_text("here now")
    return tried


def test_the_pause_that_the_server_asks_for_is_kept(
    distant_people: People, people: People, pair: Pair
) -> None:
    buyer, seller = distant_people.open(pair.buyer), people.open(pair.seller)
    seller.goto(start_talk(buyer, pair, "Hello"))
    tried = refuse_first(buyer, seconds=40)
    say(buyer, "One")
    say(buyer, "Two")
    expect(status(buyer, "One")).to_have_text(IN_A_MOMENT)
    other = buyer.context.new_page()
    other.goto(seller.url)
    expect(status(other, "One")).to_have_text(IN_A_MOMENT)
    other.close()
    buyer.clock.run_for(19_000)  # On top of what has passed: slow machines take seconds.
    expect(status(buyer, "Two")).to_have_text(IN_A_MOMENT)
    assert tried == ["One"]
    buyer.clock.run_for(31_100)  # At most a quarter later than asked for.
    expect_at(seller, "One", "Two")
    assert tried == ["One", "One", "Two"]


def test_a_fraction_of_a_millisecond_makes_no_pause_void(buyer: Page, seller: Page) -> None:
    buyer.add_init_script(ROUNDED_UP)
    tried = refuse_first(buyer, seconds=20)
    buyer.clock.pause_at(buyer.evaluate("() => Date.now() / 1000 + 1"))
    say(buyer, "One")
    expect(status(buyer, "One")).to_have_text(IN_A_MOMENT)
    assert tried == ["One"]
    buyer.clock.run_for(20_100)
    expect_at(seller, "One")
    assert tried == ["One", "One"]
