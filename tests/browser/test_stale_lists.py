"""A list of conversations that could not be fetched, or is not of who is signed in."""

import json

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.cast import Pair
from tests.browser.people import People
from tests.browser.talking import say, start_talk, wait_until
from tests.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.processes]

INBOX = "/conversations/"


def follow_socket(page: Page) -> tuple[list[WebSocketRoute], list[str]]:
    """The list's sockets, and the types of what comes over them."""
    opened: list[WebSocketRoute] = []
    heard: list[str] = []

    def stand_between(socket: WebSocketRoute) -> None:
        opened.append(socket)

        def hear(text: str | bytes) -> None:
            heard.append(json.loads(text)["type"])
            socket.send(text)

        socket.connect_to_server().on_message(hear)

    page.route_web_socket("**/ws/inbox/", stand_between)
    return opened, heard


def test_what_could_not_be_fetched_is_with_a_later_heartbeat(people: People, pair: Pair) -> None:
    """Twice it could not: when something was said, and when a heartbeat told of it."""
    people.expect_complaints("Failed to load resource")
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    start_talk(buyer, pair, "Hello")
    _opened, heard = follow_socket(seller)
    seller.goto(INBOX)
    expect(seller.locator("[data-rows]")).to_contain_text("Hello")
    wait_until(seller, lambda: "heartbeat" in heard)
    failed: list[str] = []

    def fail_twice(route: Route) -> None:
        if len(failed) < 2:
            failed.append(route.request.url)
            route.fulfill(status=503)
        else:
            route.continue_()

    seller.route(f"**{INBOX}*", fail_twice)
    say(buyer, "Is it still there?")
    expect(seller.locator("[data-rows]")).to_contain_text("Is it still there?")
    assert len(failed) == 2


def test_a_list_is_of_nobody_else(people: People, pair: Pair, live: Live) -> None:
    """Somebody else signs in with the same browser, in another tab."""
    page = people.open(pair.buyer)
    start_talk(page, pair, "Hello")
    opened, heard = follow_socket(page)
    page.goto(INBOX)
    wait_until(page, lambda: "ready" in heard)
    cookie = {"name": "sessionid", "value": pair.seller.session, "url": live.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    opened[-1].close(code=4411)
    expect(page.locator("#inbox-line")).to_contain_text("You are signed out.", use_inner_text=True)
    tries = len(opened)
    page.wait_for_timeout(1_500)
    assert len(opened) == tries
