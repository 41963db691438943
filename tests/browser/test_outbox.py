"""What is written while the line is down arrives once, in order, whatever breaks in between."""

import json
import re
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Error, Page, Response, Route, WebSocketRoute, expect

from tests.browser.cast import Pair
from tests.browser.outages import (
    CUT_OFF,
    KEPT,
    NO_SOCKETS,
    SLOW,
    WAITING,
    come_back,
    cut_off,
    expect_at,
)
from tests.browser.people import People, sign_in
from tests.browser.talking import (
    composer,
    message,
    messages,
    post,
    read_stored,
    say,
    silence,
    status,
    wait_until,
)
from tests.faults.servers.network import FaultProxy
from tests.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.processes]

ARRIVED = re.compile("Sent|Read")
LISTEN = """() => {
  window.heard = 0;
  window.addEventListener("storage", ({ key }) => (window.heard += key === "trato.left"));
}"""
HEAR_OF_REMOVAL = """() => {
  const isOurs = ({ key, newValue }) => key.includes("outbox.") && newValue === null;
  window.addEventListener("storage", (event) => (window.removed ||= isOurs(event)));
}"""
HEAR_AGAIN = """() => {
  const newValue = localStorage.getItem("trato.left");
  window.dispatchEvent(new StorageEvent("storage", { key: "trato.left", newValue }));
}"""


def test_a_burst_in_an_outage_and_a_crashed_tab(
    buyer: Page, seller: Page, proxy: FaultProxy
) -> None:
    said = [f"Number {number}" for number in range(1, 31)]
    cut_off(buyer, proxy)
    for text in said:
        say(buyer, text)
    expect(status(buyer, said[-1])).to_have_text(WAITING)
    context, thread = buyer.context, buyer.url
    with buyer.expect_event("crash"), suppress(Error):
        buyer.goto("chrome://crash")
    assert read_stored(seller, seller.url) == ["Hello"]
    buyer.close()
    come_back(context, proxy)
    again = context.new_page()
    again.goto(thread)
    expect_at(seller, *said)
    expect(status(again, said[-1])).to_have_text(ARRIVED)
    assert again.evaluate(KEPT) == []


def test_two_tabs_send_what_both_keep_once_and_in_order(
    buyer: Page, seller: Page, proxy: FaultProxy
) -> None:
    other = buyer.context.new_page()
    sent = [hear_sent(page) for page in (buyer, other)]
    buyer.reload()
    other.goto(buyer.url)
    for page in (buyer, other):
        expect(page.locator("#presence")).to_have_text("here now")
    cut_off(buyer, proxy)
    say(buyer, "One")
    say(other, "Two")
    expect(message(buyer, "Two")).to_be_visible()
    say(buyer, "Three")
    expect(status(other, "Three")).to_have_text(WAITING)
    come_back(buyer.context, proxy)
    expect_at(seller, "One", "Two", "Three")
    for page in (buyer, other):
        expect(status(page, "Three")).to_have_text(ARRIVED)
        expect(messages(page)).to_have_count(4)
    assert sorted(sent[0] + sent[1]) == ["One", "Three", "Two"]


def test_another_tab_hears_before_the_ack_that_it_is_stored(buyer: Page, seller: Page) -> None:
    """And takes it out of what both keep; where it was written it stays on the page."""
    held: list[tuple[WebSocketRoute, str | bytes]] = []

    def hold_acks(socket: WebSocketRoute) -> None:
        def pass_on(text: str | bytes) -> None:
            if json.loads(text)["type"] == "ack":
                held.append((socket, text))
            else:
                socket.send(text)

        socket.connect_to_server().on_message(pass_on)

    buyer.route_web_socket("**/ws/room/**", hold_acks)
    buyer.reload()
    expect(buyer.locator("#presence")).to_have_text("here now")
    say(buyer, "Heard of elsewhere")
    wait_until(buyer, lambda: bool(held))
    buyer.evaluate(HEAR_OF_REMOVAL)
    other = buyer.context.new_page()
    other.goto(buyer.url)
    expect(status(other, "Heard of elsewhere")).to_have_text(ARRIVED)
    buyer.wait_for_function("() => window.removed")
    # Not only when a heartbeat has brought it back.
    assert message(buyer, "Heard of elsewhere").is_visible()
    assert buyer.evaluate(KEPT) == []
    for socket, text in held:
        socket.send(text)
    expect(status(buyer, "Heard of elsewhere")).to_have_text(ARRIVED)
    expect(messages(buyer)).to_have_count(2)
    expect_at(seller, "Heard of elsewhere")


def hear_sent(page: Page) -> list[str]:
    """The texts of the messages that a page hands to its sockets as it goes on, or, where those
    are slow to come back, has answered over HTTP."""
    heard: list[str] = []

    def hear(frame: Any) -> None:
        data = json.loads(frame)
        if data["type"] == "chat_message":
            heard.append(data["message"])

    def hear_answer(answer: Response) -> None:
        if answer.request.method == "POST" and answer.url.endswith("/new_message/"):
            heard.append(json.loads(answer.request.post_data or "{}")["message"])

    page.on("websocket", lambda socket: socket.on("framesent", hear))
    page.on("response", hear_answer)
    return heard


def test_an_ack_is_swallowed_and_the_server_restarts(
    buyer: Page, seller: Page, proxy: FaultProxy, live: Live, people: People
) -> None:
    people.expect_complaints(*CUT_OFF)
    proxy.set("swallow")
    say(buyer, "Heard, and not answered")
    expect(message(seller, "Heard, and not answered")).to_be_visible()
    live.kill("web")
    say(buyer, "While it is down")
    proxy.heal()
    live.start("web")
    expect_at(seller, "Heard, and not answered", "While it is down")
    expect(messages(buyer)).to_have_count(3)


def test_without_sockets_messages_go_and_come_over_http(
    buyer: Page, seller: Page, distant_people: People
) -> None:
    """As behind a proxy that lets no upgrade through. One answer is lost on its way back."""
    answers: list[int] = []

    def lose_the_first(route: Route) -> None:
        answer = route.fetch()
        answers.append(answer.status)
        if len(answers) == 1:
            route.abort()
        else:
            route.fulfill(response=answer)

    buyer.add_init_script(NO_SOCKETS)
    buyer.route("**/new_message/", lose_the_first)
    buyer.reload()
    say(buyer, "Posted")
    say(buyer, "Posted as well")
    expect_at(seller, "Posted", "Posted as well")
    expect(status(buyer, "Posted as well")).to_have_text(ARRIVED)
    say(seller, "Asked for")
    expect(message(buyer, "Asked for")).to_be_visible()
    expect(status(seller, "Asked for")).to_have_text("Read")
    expect(buyer.get_by_text("No connection.")).to_be_hidden()
    assert answers == [201, 201]  # The first was found among what has arrived.


def test_a_full_device_loses_nothing_while_the_page_lives(
    buyer: Page, seller: Page, proxy: FaultProxy
) -> None:
    buyer.evaluate("() => { Storage.prototype.setItem = () => { throw new DOMException('full') } }")
    say(buyer, "Kept nowhere")
    expect_at(seller, "Kept nowhere")
    cut_off(buyer, proxy)
    say(buyer, "Held by the page")
    expect(status(buyer, "Held by the page")).to_have_text(WAITING)
    assert buyer.evaluate(KEPT) == []
    come_back(buyer.context, proxy)
    expect_at(seller, "Kept nowhere", "Held by the page")


def test_a_refusal_stops_what_comes_after_it(buyer: Page, seller: Page, proxy: FaultProxy) -> None:
    """The seller blocks the buyer meanwhile: the texts stay, and their author decides."""
    block = f"/people/{seller.locator('#thread').get_attribute('data-other')}/block/"
    cut_off(buyer, proxy)
    say(buyer, "Too late")
    say(buyer, "After it")
    post(seller, block, on="1")
    come_back(buyer.context, proxy)
    expect(status(buyer, "Too late")).to_contain_text("Not sent: One of you has blocked", **SLOW)
    expect(status(buyer, "After it")).to_have_text("Not sent")
    assert read_stored(seller, seller.url) == ["Hello"]
    # A page that opens without a composer keeps the text as well.
    buyer.reload()
    expect(status(buyer, "Too late")).to_contain_text("Not sent: One of you has blocked", **SLOW)
    message(buyer, "Too late").get_by_role("button", name="take back").click()
    expect(buyer.locator("#closed")).to_contain_text("Too late")
    expect(status(buyer, "After it")).to_contain_text("Not sent: One of you has blocked")
    post(seller, block, on="0")
    message(buyer, "After it").get_by_role("button", name="try again").click()
    expect_at(seller, "After it")
    expect(composer(buyer)).to_have_value("Too late")
    expect(message(buyer, "Too late")).to_have_count(0)


def test_nothing_is_left_when_somebody_signs_out_in_another_tab(
    buyer: Page, seller: Page, distant_people: People
) -> None:
    distant_people.expect_complaints("401")
    other = buyer.context.new_page()
    for page in (buyer, other):
        silence(page)
        page.goto(seller.url)
    say(other, "Unsent in the other tab")
    composer(other).press_sequentially("Begun in the other tab")
    expect(message(buyer, "Unsent in the other tab")).to_be_visible()
    assert len(buyer.evaluate(KEPT)) == 2
    buyer.on("dialog", lambda dialog: dialog.accept())
    sign_out(buyer)
    expect(message(other, "Unsent in the other tab")).to_have_count(0)
    expect(composer(other)).to_have_value("")
    say(other, "Said afterwards")
    expect(message(other, "Said afterwards")).to_be_visible()
    assert buyer.evaluate(KEPT) == []
    assert read_stored(seller, seller.url) == ["Hello"]


def sign_out(page: Page) -> None:
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def write_and_begin(page: Page, thread: str) -> None:
    """What the person has unsent on the device: a message, and a draft of another."""
    silence(page)
    page.goto(thread)
    say(page, "Written")
    composer(page).press_sequentially("Begun")
    assert len(page.evaluate(KEPT)) == 2


def open_signed_in(page: Page, email: str) -> Page:
    """Another tab of the same browser, whoever was signed in there before."""
    page.context.clear_cookies()
    other = page.context.new_page()
    other.goto("/accounts/login/")
    sign_in(other, email)
    return other


def test_the_sign_out_of_somebody_else_deletes_nothing(
    buyer: Page, seller: Page, pair: Pair
) -> None:
    """Whose session was over, and whose tab was left open."""
    write_and_begin(buyer, seller.url)
    buyer.evaluate(LISTEN)
    other = open_signed_in(buyer, pair.seller.email)
    sign_out(other)
    buyer.wait_for_function("() => window.heard === 1")
    assert len(buyer.evaluate(KEPT)) == 2
    expect(message(buyer, "Written")).to_be_visible()
    expect(composer(buyer)).to_have_value("Begun")
    again = open_signed_in(buyer, pair.buyer.email)
    again.goto(seller.url)
    expect_at(seller, "Written")
    expect(composer(again)).to_have_value("Begun")


def test_a_sign_out_heard_of_late_deletes_nothing_newer(
    buyer: Page, seller: Page, pair: Pair
) -> None:
    """A tab that slept hears of it when the same person is back and has written more."""
    buyer.goto("/")
    buyer.evaluate(LISTEN)
    other = buyer.context.new_page()
    write_and_begin(other, seller.url)
    other.on("dialog", lambda dialog: dialog.accept())
    sign_out(other)
    buyer.wait_for_function("() => window.heard === 1")
    assert buyer.evaluate(KEPT) == []
    write_and_begin(open_signed_in(buyer, pair.buyer.email), seller.url)
    buyer.evaluate(HEAR_AGAIN)
    assert len(buyer.evaluate(KEPT)) == 2
