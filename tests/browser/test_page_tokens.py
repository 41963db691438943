"""What scripts post carries the token of their page, and a new one once that is stale."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Response, Route, expect

from tests.browser.outages import come_back, cut_off, expect_at
from tests.browser.talking import post, say, status
from tests.faults.servers.network import FaultProxy

pytestmark = [pytest.mark.browser, pytest.mark.processes]

POSTED = "**/new_message/"
FRONT_PAGE = re.compile(r"//[^/]+/$")
FORM = re.compile("<form.*?</form>", re.DOTALL)
LOOK = "() => window.dispatchEvent(new Event('focus'))"


@pytest.fixture
def unsent(buyer: Page, seller: Page, proxy: FaultProxy) -> str:
    """The text of a message that the line did not take; its thread is no longer open."""
    text = "Not yet on its way"
    cut_off(buyer, proxy)
    say(buyer, text)
    expect(status(buyer, text)).to_have_text("Waiting for the connection")
    buyer.goto("about:blank")
    come_back(buyer.context, proxy)
    return text


def test_a_page_without_forms_sends_and_renews_its_token(
    buyer: Page, seller: Page, unsent: str
) -> None:
    def take_forms_away(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=FORM.sub("", answer.text()))

    buyer.route(FRONT_PAGE, take_forms_away)
    buyer.route(POSTED, lambda route: route.abort())
    buyer.goto("/")
    expect(buyer.locator("#unsent")).to_contain_text(unsent)
    expect(buyer.locator("form, [name=csrfmiddlewaretoken]")).to_have_count(0)
    buyer.unroute(POSTED)
    buyer.context.clear_cookies(name="csrftoken")  # As a new sign-in in another tab would.
    answers = note_answers(buyer)
    buyer.evaluate(LOOK)
    expect_at(seller, unsent)
    expect(buyer.locator("#unsent")).to_be_hidden()
    assert answers == [403, 201]


def note_answers(page: Page) -> list[int]:
    """How what a page posts is answered, as it goes on."""
    found: list[int] = []

    def note(answer: Response) -> None:
        if answer.request.method == "POST":
            found.append(answer.status)

    page.on("response", note)
    return found


def test_a_refusal_of_ours_is_asked_for_once(buyer: Page, seller: Page, unsent: str) -> None:
    thread = seller.locator("#thread")
    post(seller, f"/people/{thread.get_attribute('data-other')}/block/", on="1")
    asked = note_fetches(buyer)
    buyer.goto("/")
    expect(buyer.locator("#unsent")).to_contain_text("Not sent: One of you has blocked")
    assert asked == [f"POST {urlsplit(seller.url).path}new_message/"]


def note_fetches(page: Page) -> list[str]:
    """What scripts of a page ask for, as it goes on."""
    found: list[str] = []

    def note(request: Request) -> None:
        if request.resource_type == "fetch":
            found.append(f"{request.method} {urlsplit(request.url).path}")

    page.on("request", note)
    return found


def test_a_refusal_in_no_words_of_ours_may_be_about_the_token(
    buyer: Page, seller: Page, unsent: str
) -> None:
    """As where the site has an answer of its own to a stale one. A new one is tried once."""
    answer = {"status": 403, "content_type": "text/html", "body": "<h1>Forbidden</h1>"}
    buyer.route(POSTED, lambda route: route.fulfill(**answer))
    asked = note_fetches(buyer)
    buyer.goto("/")
    expect(buyer.locator("#unsent")).to_contain_text("Not sent: This did not work. Load the page")
    send = f"POST {urlsplit(seller.url).path}new_message/"
    assert asked == [send, "GET /", send]
    buyer.unroute(POSTED)
    buyer.reload()
    expect_at(seller, unsent)
