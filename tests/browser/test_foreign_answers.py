"""Something on the way answers in the marketplace's place: a network's log-in page, a host's own
redirect. What it says is no answer."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.outages import KEPT, NO_SOCKETS, SLOW, WAITING, expect_at
from tests.browser.people import People
from tests.browser.talking import message, read_stored, say, status, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

PORTAL: dict[str, Any] = {"content_type": "text/html", "body": "<h1>Log in to this network</h1>"}
NOT_OURS: dict[str, Any] = {"json": {"detail": "Log in to this network"}}
NOBODY: dict[str, Any] = {"status": 404, "content_type": "text/plain", "body": "404 page not found"}
NOT_HERE: dict[str, Any] = {"status": 401, "json": {"error": "Who are you?"}}
NO_CHANGES: dict[str, Any] = {"json": {"results": [None]}}


def test_the_page_reconnects_whatever_it_is_told_instead(
    buyer: Page, seller: Page, distant_people: People
) -> None:
    """As long as it cannot be known why a handshake was refused, it is tried again."""
    distant_people.expect_complaints("null")  # The page tells developers what it cannot read.
    answers = [PORTAL, NOT_OURS, NO_CHANGES, NOBODY]

    def refuse_first(socket: WebSocketRoute) -> None:
        if answers:
            socket.close()
        else:
            socket.connect_to_server()

    buyer.route_web_socket("**/ws/room/**", refuse_first)
    buyer.route("**/messages/?after=*", lambda route: route.fulfill(**answers.pop(0)))
    buyer.reload()
    wait_until(buyer, lambda: not answers)
    say(seller, "Over the socket")
    expect(message(buyer, "Over the socket")).to_be_visible()


@pytest.mark.parametrize("answers", [(PORTAL, NOT_OURS), (NOBODY, NOT_HERE)], ids=["ok", "no"])
def test_a_message_is_not_sent_because_somebody_says_so(
    buyer: Page, seller: Page, answers: tuple[dict[str, Any], ...]
) -> None:
    """In its thread and from other pages: the text stays, and goes out once."""
    answered: list[str] = []

    def answer(route: Route) -> None:
        answered.append(route.request.url)
        route.fulfill(**answers[len(answered) % len(answers)])

    buyer.context.route("**/new_message/", answer)
    buyer.add_init_script(NO_SOCKETS)
    buyer.reload()
    say(buyer, "Kept and sent")
    expect(status(buyer, "Kept and sent")).to_have_text(WAITING)
    buyer.goto("/")
    expect(buyer.locator("#unsent")).to_contain_text("Kept and sent")
    expect(buyer.locator("#unsent")).to_contain_text("Not sent yet")
    assert len(answered) >= 2
    assert read_stored(seller, seller.url) == ["Hello"]
    buyer.context.unroute("**/new_message/")
    expect_at(seller, "Kept and sent")
    expect(buyer.locator("#unsent")).to_be_hidden(**SLOW)
    assert buyer.evaluate(KEPT) == []
