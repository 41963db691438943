"""Pages that were away: kept for the back button, frozen, or asleep on a line that has died."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.cast import Pair
from tests.browser.outages import CUT_OFF, KEPT, come_back, cut_off, expect_at
from tests.browser.people import People, sign_in
from tests.browser.talking import message, messages, read_stored, say, start_talk, status
from tests.faults.servers.network import FaultProxy

pytestmark = [pytest.mark.browser, pytest.mark.processes]

THREAD = re.compile(r"/conversation/[0-9a-f-]{36}/$")
HERE = "here now"


def test_a_page_comes_back_from_the_back_forward_cache(
    keeping_people: People, people: People, pair: Pair, proxy: FaultProxy
) -> None:
    """Our own header keeps pages of the signed in out of it. What some browser keeps all the same
    (the header is taken away here) goes on as if nothing had been."""
    buyer, seller = keeping_people.open(pair.buyer), people.open(pair.seller)
    start_talk(buyer, pair, "Hello")
    seller.goto(buyer.url)
    buyer.route(THREAD, let_be_kept)
    buyer.reload()
    expect(buyer.locator("#presence")).to_have_text(HERE)
    buyer.evaluate("() => { onpageshow = (event) => { window.wasKept = event.persisted } }")
    cut_off(buyer, proxy)
    say(buyer, "Before leaving")
    expect(status(buyer, "Before leaving")).to_have_text("Waiting for the connection")
    come_back(buyer.context, proxy)
    buyer.goto("/static/marketplace/icon.svg", wait_until="commit")
    say(seller, "While it was away")
    expect(status(seller, "While it was away")).to_have_text("Sent")
    buyer.go_back(wait_until="commit")
    buyer.wait_for_function("() => window.wasKept === true")
    expect(message(buyer, "While it was away")).to_be_visible()
    expect(status(buyer, "Before leaving")).to_have_text(re.compile("Sent|Read"))
    assert sorted(read_stored(seller, seller.url)[1:]) == ["Before leaving", "While it was away"]
    expect(messages(seller)).to_have_count(3)


def let_be_kept(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, headers={**answer.headers, "cache-control": "private"})


def test_a_frozen_page_catches_up(buyer: Page, seller: Page) -> None:
    session = buyer.context.new_cdp_session(buyer)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    say(seller, "To a frozen page")
    expect(status(seller, "To a frozen page")).to_have_text("Sent")
    session.send("Page.setWebLifecycleState", {"state": "active"})
    expect(message(buyer, "To a frozen page")).to_be_visible()
    say(buyer, "Awake")
    expect_at(seller, "To a frozen page", "Awake")


def test_a_line_that_died_in_sleep_is_replaced_at_once(
    distant_people: People, people: People, pair: Pair, proxy: FaultProxy
) -> None:
    buyer, seller = distant_people.open(pair.buyer), people.open(pair.seller)
    start_talk(buyer, pair, "Hello")
    buyer.clock.install()
    buyer.reload()
    seller.goto(buyer.url)
    expect(buyer.locator("#presence")).to_have_text(HERE)
    proxy.set("blackhole")
    say(seller, "To a dead line")
    say(buyer, "From a dead line")
    expect(status(seller, "To a dead line")).to_have_text("Sent")
    with buyer.expect_websocket(lambda socket: "/room/" in socket.url):
        buyer.clock.fast_forward(61_000)  # As a device does that sleeps: no timer runs meanwhile.
    proxy.set("reset")
    proxy.heal()
    buyer.clock.run_for(20_000)
    expect(message(buyer, "To a dead line")).to_be_visible()
    expect_at(seller, "To a dead line", "From a dead line")


def test_another_person_at_the_same_machine(
    distant_people: People, people: People, pair: Pair, buyer: Page, seller: Page, proxy: FaultProxy
) -> None:
    """The session ends elsewhere with a text unsent, and the other side signs in here. Who has
    written it finds it again."""
    distant_people.expect_complaints("401", "403", *CUT_OFF)
    cut_off(buyer, proxy)
    say(buyer, "For nobody else")
    expect(status(buyer, "For nobody else")).to_have_text("Waiting for the connection")
    thread, context = buyer.url, buyer.context
    buyer.goto("about:blank")
    come_back(context, proxy)
    context.clear_cookies()
    page = context.new_page()
    page.goto("/accounts/login/")
    sign_in(page, pair.seller.email)
    page.goto(thread)
    expect(page.locator("#presence")).not_to_have_text("")
    expect(message(page, "For nobody else")).to_have_count(0)
    expect(page.get_by_text("Not sent yet").filter(visible=True)).to_have_count(0)
    assert read_stored(seller, thread) == ["Hello"]
    context.clear_cookies()
    page.goto("/accounts/login/")
    sign_in(page, pair.buyer.email)
    expect_at(seller, "For nobody else")
    assert page.evaluate(KEPT) == []
