"""What was read is said again until the marketplace knows: the other side sees it in the end."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.cast import Pair
from tests.browser.outages import NO_SOCKETS, SLOW
from tests.browser.people import People
from tests.browser.talking import LOOK_AWAY, listen, say, start_talk, status, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

Failure = Callable[[WebSocketRoute], None]


def refuse(**wait: int) -> Failure:
    error = {"type": "error", "code": "unavailable", "detail": "Not just now.", **wait}
    return lambda socket: socket.send(json.dumps(error))


def fail_reads(page: Page, failures: list[Failure]) -> list[int]:
    """What the page says it has read meets one failure each, then the marketplace. Gives the
    positions as they are said."""
    said: list[int] = []

    def stand_between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            frame = json.loads(text)
            if frame["type"] == "read":
                said.append(frame["sequence"])
                if failures:
                    return failures.pop(0)(socket)
            return server.send(text)

        socket.on_message(pass_on)

    page.route_web_socket("**/ws/room/**", stand_between)
    return said


def test_a_read_mark_that_was_refused_or_lost_is_said_again(
    distant_people: People, people: People, pair: Pair
) -> None:
    """Refused, after the pause asked for; lost with its line, on the next one, even when nobody
    looks any more."""
    distant_people.expect_complaints("WebSocket is already in CLOSING or CLOSED state")
    buyer, seller = distant_people.open(pair.buyer), people.open(pair.seller)
    seller.goto(start_talk(buyer, pair, "Hello"))
    failures: list[Failure] = []
    said = fail_reads(buyer, failures)
    buyer.clock.install()
    buyer.reload()
    expect(buyer.locator("#presence")).to_have_text("here now")
    told = listen(buyer, "said")

    failures.append(refuse(retry_after=20))
    say(seller, "Not for a while")
    wait_until(buyer, lambda: said == [2])
    buyer.clock.run_for(10_000)
    expect(status(seller, "Not for a while")).to_have_text("Sent")
    assert said == [2]
    buyer.clock.run_for(16_000)  # At most a quarter later than asked for.
    expect(status(seller, "Not for a while")).to_have_text("Read")
    assert said == [2, 2]

    failures.append(refuse())
    say(seller, "Not now")
    wait_until(buyer, lambda: said == [2, 2, 3])
    buyer.clock.run_for(7_000)
    expect(status(seller, "Not now")).to_have_text("Read")
    assert told() == []  # It is no message that was refused.

    lines: list[WebSocketRoute] = []
    failures.append(lines.append)
    say(seller, "Lost")
    wait_until(buyer, lambda: bool(lines))
    buyer.evaluate(LOOK_AWAY)
    lines[0].close(code=4411)
    expect(status(seller, "Lost")).to_have_text("Read", **SLOW)
    assert said == [2, 2, 3, 3, 4, 4]


def test_over_http_as_well(buyer: Page, seller: Page) -> None:
    """Behind a proxy that lets no socket through and answers for itself, or not at all."""
    failures: list[Callable[[Route], None]] = [
        lambda route: route.fulfill(status=503, headers={"Retry-After": "1"}),
        lambda route: route.abort(),
    ]
    met: list[str] = []

    def fail_first(route: Route) -> None:
        met.append(route.request.url)
        failures.pop(0)(route) if failures else route.continue_()

    buyer.add_init_script(NO_SOCKETS)
    buyer.route("**/read/", fail_first)
    buyer.reload()
    told = listen(buyer, "said")
    say(seller, "Read over HTTP?")
    expect(status(seller, "Read over HTTP?")).to_have_text("Read", **SLOW)
    assert len(met) == 3
    assert not [text for text in told() if "Not sent" in text]
