"""What people do in a thread, and where they see it."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from playwright.sync_api import Locator, Page, expect

from tests.browser.cast import Pair

THREAD = re.compile(r"/conversation/[0-9a-f-]{36}/$")
LOOKS = 200
LOOK_AWAY = "() => { document.hasFocus = () => false }"
LISTEN = """(region) => {
  const heard = [];
  const hear = (node) => heard.push(node.textContent);
  new MutationObserver((records) => records.forEach((each) => each.addedNodes.forEach(hear)))
    .observe(document.getElementById(region), { childList: true });
  window.heard = { ...window.heard, [region]: heard };
}"""


def ask(page: Page, text: str) -> str:
    """In the box beside a listing; the address of the thread that opens."""
    box = page.locator("main textarea").first
    box.fill(text)
    page.locator("form:has(textarea) [type=submit]").first.click()
    expect(page).to_have_url(THREAD)
    return page.url


def start_talk(page: Page, pair: Pair, *texts: str) -> str:
    """Asks from the listing's page, and says the rest as a script would; the thread's address."""
    page.goto(pair.listing)
    thread = ask(page, texts[0])
    for text in texts[1:]:
        post(page, f"{thread}new_message/", message=text, client_message_id=str(uuid4()))
    return thread


def post(page: Page, url: str, **fields: str) -> None:
    cookies = {cookie.get("name"): cookie.get("value") for cookie in page.context.cookies()}
    headers = {"Accept": "application/json", "X-CSRFToken": str(cookies["csrftoken"])}
    answer = page.request.post(url, form=dict(fields), headers=headers)
    assert answer.ok, answer.text()


def read_stored(page: Page, thread: str) -> list[str]:
    """The texts as the marketplace has them, in order."""
    headers = {"Accept": "application/json"}
    answer: Any = page.request.get(f"{thread}messages/?after=0", headers=headers).json()
    return [message["message"] for message in answer["results"]]


def composer(page: Page) -> Locator:
    return page.locator("#composer textarea")


def say(page: Page, text: str) -> None:
    composer(page).fill(text)
    composer(page).press("Enter")


def press_send(page: Page, text: str) -> None:
    """As one does on a phone, where the return key begins a new line."""
    composer(page).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def messages(page: Page) -> Locator:
    return page.locator("#messages .message")


def message(page: Page, text: str) -> Locator:
    return messages(page).filter(has=page.get_by_text(text, exact=True))


def status(page: Page, text: str) -> Locator:
    """Sent, read, or why not yet, below one's own message."""
    return message(page, text).locator(".message__status")


def texts(page: Page) -> Locator:
    return messages(page).locator(".message__body")


def remember_document(page: Page) -> None:
    page.evaluate("window.rememberedDocument = true")


def is_same_document(page: Page) -> bool:
    """False after any reload since `remember_document`."""
    return bool(page.evaluate("window.rememberedDocument === true"))


def listen(page: Page, region: str) -> Callable[[], list[str]]:
    """What a screen reader is told in this region from now on, also after it is gone from there."""
    page.evaluate(LISTEN, region)
    return lambda: page.evaluate("(region) => window.heard[region]", region)


def silence(page: Page) -> None:
    """Sockets of this page open, and that is all that is ever heard of them."""
    page.route_web_socket("**/ws/**", lambda socket: None)


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    """About what a test itself has heard of its page. By our clock, whatever the page goes by."""
    for _look in range(LOOKS):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("It has not come to that.")
