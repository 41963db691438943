"""What is unsent while its thread is not open: it goes out from every page, and each says so."""

import re

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.cast import Pair, Person
from tests.browser.outages import KEPT, NO_SOCKETS, SLOW, WAITING, come_back, cut_off, expect_at
from tests.browser.people import PHONE, People
from tests.browser.talking import (
    composer,
    is_same_document,
    message,
    messages,
    post,
    read_stored,
    remember_document,
    say,
    start_talk,
    status,
)
from tests.browser.test_accessibility import expect_no_violation
from tests.faults.servers.network import FaultProxy
from tests.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.processes]

NOT_YET = "Not sent yet"
ARRIVED = re.compile("Sent|Read")
LEAVE = """
from messaging.models import Conversation
from messaging.services.participants import leave_conversation
talk = Conversation.objects.get(pk="{key}")
leave_conversation(user_id=talk.buyer_id, conversation_id=talk.pk)
"""
KEEP_AS_0_2_0_DID = """([conversation, ...messages]) => {
  const person = document.querySelector("meta[name='user-id']").content;
  const at = new Date().toISOString();
  const list = messages.map((message) => ({ id: crypto.randomUUID(), message, at }));
  localStorage.setItem(`trato.kept.${person}.outbox.${conversation}`, JSON.stringify(list));
}"""
FILL_UP = "() => { Storage.prototype.setItem = () => { throw new DOMException('full') } }"


def open_elsewhere(buyer: Page, place: str, proxy: FaultProxy) -> None:
    """Another page while what is posted does not get through."""
    buyer.context.route("**/new_message/", lambda route: route.abort())
    buyer.goto("about:blank")  # Before its thread finds the connection again, and sends.
    come_back(buyer.context, proxy)
    buyer.goto(place)


def test_it_goes_out_from_the_inbox_and_from_other_pages(
    buyer: Page, seller: Page, proxy: FaultProxy
) -> None:
    cut_off(buyer, proxy)
    say(buyer, "From the inbox")
    say(buyer, "And in order")
    expect(status(buyer, "And in order")).to_have_text(WAITING)
    open_elsewhere(buyer, "/conversations/", proxy)
    row = buyer.locator("[data-rows] li")
    expect(row.get_by_text(NOT_YET)).to_be_visible()
    expect_no_violation(buyer)
    buyer.goto("/")
    line = buyer.locator("#unsent")
    expect(line).to_contain_text(NOT_YET)
    expect(line).to_contain_text("From the inbox")
    expect_no_violation(buyer)
    line.get_by_role("link", name="To the conversation").click()
    expect(buyer).to_have_url(seller.url)
    buyer.goto("/conversations/")
    buyer.context.unroute("**/new_message/")
    expect_at(seller, "From the inbox", "And in order")
    expect(row.get_by_text(NOT_YET)).to_be_hidden()
    expect(row).to_contain_text("And in order")
    assert buyer.evaluate(KEPT) == []


def test_what_0_2_0_has_left_unsent_is_sent(buyer: Page, seller: Page, proxy: FaultProxy) -> None:
    """From whatever page opens first, before what was written since."""
    conversation = buyer.locator("#thread").get_attribute("data-conversation")
    cut_off(buyer, proxy)
    say(buyer, "Written since")
    expect(status(buyer, "Written since")).to_have_text(WAITING)
    buyer.evaluate(KEEP_AS_0_2_0_DID, [conversation, "Old one", "Old two"])
    buyer.goto("about:blank")
    come_back(buyer.context, proxy)
    buyer.goto("/")
    expect_at(seller, "Old one", "Old two", "Written since")
    buyer.evaluate(KEEP_AS_0_2_0_DID, [conversation, "Old three"])
    buyer.goto(seller.url)
    expect_at(seller, "Old one", "Old two", "Written since", "Old three")
    expect(status(buyer, "Old three")).to_have_text(ARRIVED)
    assert buyer.evaluate(KEPT) == []


def test_who_may_no_longer_write_keeps_the_text(
    buyer: Page, seller: Page, proxy: FaultProxy, live: Live
) -> None:
    """Left on another device, with something unsent on this one."""
    cut_off(buyer, proxy)
    say(buyer, "Too late, I have left")
    key = seller.url.rstrip("/").rpartition("/")[2]
    live.manage("shell", "--no-imports", "-c", LEAVE.format(key=key))
    come_back(buyer.context, proxy)
    gone = "Not sent: this conversation is no longer open to you"
    expect(status(buyer, "Too late, I have left")).to_have_text(gone, **SLOW)
    expect(buyer.locator("#presence")).to_have_text("")
    expect_no_violation(buyer)
    buyer.context.grant_permissions(["clipboard-read", "clipboard-write"])
    buyer.reload()
    expect(buyer.get_by_role("heading", name="Not found")).to_be_visible()
    kept = buyer.locator("#unsent")
    expect(kept).to_contain_text(gone)
    expect(kept).to_contain_text("Too late, I have left")
    expect_no_violation(buyer)
    buyer.set_viewport_size(PHONE)  # type: ignore[arg-type]
    kept.get_by_role("button", name="copy").click()
    copied = buyer.evaluate("() => navigator.clipboard.readText()")
    assert copied == "Too late, I have left"
    kept.get_by_role("button", name="delete").click()
    expect(kept).to_be_hidden()
    assert buyer.evaluate(KEPT) == []


def sign_in_silently(page: Page, person: Person) -> None:
    """With the browser of an open page, which nothing tells of it."""
    cookie = {"name": "sessionid", "value": person.session, "domain": "localhost", "path": "/"}
    page.context.add_cookies([cookie])  # type: ignore[list-item]


def test_over_http_a_closed_thread_says_why(buyer: Page, seller: Page, proxy: FaultProxy) -> None:
    """A page that opens without a composer is no conversation that is gone."""
    block = f"/people/{seller.locator('#thread').get_attribute('data-other')}/block/"
    cut_off(buyer, proxy)
    say(buyer, "Too late")
    buyer.goto("about:blank")
    post(seller, block, on="1")
    come_back(buyer.context, proxy)
    buyer.add_init_script(NO_SOCKETS)
    buyer.goto(seller.url)
    expect(status(buyer, "Too late")).to_contain_text("Not sent: One of you has blocked", **SLOW)
    post(seller, block, on="0")
    message(buyer, "Too late").get_by_role("button", name="try again").click()
    expect_at(seller, "Too late")


def test_over_http_another_person_is_noticed(buyer: Page, seller: Page, pair: Pair) -> None:
    """The other side signs in with the same browser, which lets no socket through. Read marks
    follow there; who is here now nobody can say."""
    buyer.add_init_script(NO_SOCKETS)
    buyer.reload()
    say(buyer, "Read over HTTP?")
    expect(status(buyer, "Read over HTTP?")).to_have_text("Read", **SLOW)
    expect(buyer.locator("#presence")).to_have_text("")
    sign_in_silently(buyer, pair.seller)
    say(buyer, "From whom?")
    expect(buyer.get_by_text("You are signed out.").first).to_be_visible()
    expect(status(buyer, "From whom?")).to_have_text(WAITING)
    assert read_stored(seller, seller.url) == ["Hello", "Read over HTTP?"]
    # Without anything to send the page asks whose changes it is given.
    sign_in_silently(buyer, pair.buyer)
    buyer.reload()
    expect_at(seller, "Read over HTTP?", "From whom?")
    sign_in_silently(buyer, pair.seller)
    # What it had asked for before is still answered, to who asked.
    expect(buyer.get_by_text("You are signed out.").first).to_be_visible()
    say(seller, "Not for that page")
    expect(message(seller, "Not for that page")).to_be_visible()
    expect(message(buyer, "Not for that page")).to_have_count(0)


def test_an_ack_from_far_back_makes_no_hole(buyer: Page, seller: Page, proxy: FaultProxy) -> None:
    proxy.set("swallow")
    say(buyer, "Swallowed")
    expect(message(seller, "Swallowed")).to_be_visible()
    context, thread = buyer.context, buyer.url
    buyer.close()
    proxy.set("reset")
    proxy.heal()
    for number in range(52):
        post(seller, f"{thread}new_message/", message=f"Answer {number}")
    page = context.new_page()
    post(page, f"{thread}read/", sequence="54")  # It opens at its end.
    page.goto(thread)
    expect(page.locator("#presence")).to_have_text("here now")
    expect(message(page, "Swallowed")).to_have_count(0)
    assert page.evaluate(KEPT) == []
    page.locator("#older").dispatch_event("click")
    expect(message(page, "Swallowed")).to_have_count(1)
    expect(messages(page)).to_have_count(54)
    shown = messages(page).evaluate_all("all => all.map((each) => Number(each.dataset.sequence))")
    assert shown == list(range(1, 55))


def test_a_device_that_keeps_nothing_asks_before_the_page_goes(
    buyer: Page, seller: Page, proxy: FaultProxy
) -> None:
    buyer.evaluate(FILL_UP)
    cut_off(buyer, proxy)
    say(buyer, "Only here")
    stay = buyer.get_by_text("This device keeps nothing")
    expect(stay).to_be_visible()
    expect_no_violation(buyer)
    remember_document(buyer)
    asked: list[str] = []

    def stay_here(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    buyer.on("dialog", stay_here)
    buyer.evaluate("() => location.reload()")
    expect(message(buyer, "Only here")).to_be_visible()
    assert (asked, is_same_document(buyer)) == (["beforeunload"], True)
    come_back(buyer.context, proxy)
    expect_at(seller, "Only here")
    expect(stay).to_be_hidden()
    buyer.reload()
    assert (asked, is_same_document(buyer)) == (["beforeunload"], False)


def test_signing_out_without_a_connection_keeps_everything(
    buyer: Page, seller: Page, proxy: FaultProxy
) -> None:
    cut_off(buyer, proxy)
    say(buyer, "Not to be lost")
    asked: list[str] = []
    answers = [False, True, True]

    def answer(dialog: Dialog) -> None:
        asked.append(f"{dialog.type}: {dialog.message}")
        dialog.accept() if answers.pop(0) else dialog.dismiss()

    buyer.on("dialog", answer)
    buyer.get_by_label("Your account").click()
    for _try in range(2):
        buyer.get_by_role("button", name="Sign out").click()
    buyer.wait_for_function("() => true")
    expect(message(buyer, "Not to be lost")).to_be_visible()
    assert [line.partition(".")[0] for line in asked] == [
        "confirm: A message of yours is not sent yet",
        "confirm: A message of yours is not sent yet",
        "alert: No answer came, so it is not known whether you are signed out",
    ]
    come_back(buyer.context, proxy)
    expect_at(seller, "Not to be lost")


def test_what_is_refused_is_announced_and_wraps_as_text(
    buyer: Page, seller: Page, proxy: FaultProxy
) -> None:
    block = f"/people/{seller.locator('#thread').get_attribute('data-other')}/block/"
    cut_off(buyer, proxy)
    say(buyer, "Too late")
    post(seller, block, on="1")
    come_back(buyer.context, proxy)
    expect(buyer.locator("#said")).to_contain_text("Not sent: One of you has blocked", **SLOW)
    expect(status(buyer, "Too late")).to_contain_text("Not sent: One of you has blocked")
    expect_no_violation(buyer)
    dot = "(status) => getComputedStyle(status, '::before').content"
    assert "·" not in status(buyer, "Too late").evaluate(dot)
    buyer.goto("/")
    expect(buyer.locator("#unsent")).to_contain_text("Not sent: One of you has blocked")


def test_a_composed_letter_counts_once(people: People, pair: Pair) -> None:
    buyer = people.open(pair.buyer)
    start_talk(buyer, pair, "Hello")
    composer(buyer).fill("e\u0301" * 2_001)  # Twice as long before it is composed.
    expect(buyer.locator(".composer__count")).to_be_hidden()
    composer(buyer).fill("\u0958" * 2_001)  # Two code points each once it is.
    expect(buyer.locator(".composer__count")).to_have_text("4002 / 4000")
