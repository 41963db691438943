"""A question typed by somebody who is not signed in: kept, and asked once when they are."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cast import Pair
from tests.browser.people import People, sign_in
from tests.browser.talking import THREAD, message, messages, read_stored
from tests.cast import PASSWORD
from tests.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.processes]

QUESTION = "Does it fit through a narrow door?"
CODE = re.compile(r"^[A-Z0-9]{3,}(?:-[A-Z0-9]+)?\s*$", re.MULTILINE)


def test_a_question_survives_signing_up(people: People, pair: Pair, live: Live) -> None:
    address = "nia@example.org"
    page = people.open()
    type_question(page, pair)
    page.locator("main").get_by_role("link", name="Create an account").click()
    page.get_by_label("Your name").fill("Nia Sala")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Confirm your address")).to_be_visible()
    [mail] = live.mails.wait_for(address)
    body = mail.get_body(preferencelist=("plain",))
    assert body
    [code] = CODE.findall(body.get_content())
    page.locator("main form input[name=code]").fill(code.strip())
    page.get_by_role("button", name="Confirm").click()
    expect_asked_once(page, pair)


def test_a_question_survives_logging_in(people: People, pair: Pair) -> None:
    page = people.open()
    type_question(page, pair)
    sign_in(page, pair.buyer.email)
    expect_asked_once(page, pair)


def type_question(page: Page, pair: Pair) -> None:
    page.goto("/")
    page.goto(pair.listing)
    page.locator("main textarea").first.fill(QUESTION)
    page.get_by_role("button", name="Send message").click()
    expect(page.locator("input[name=login]")).to_be_visible()


def expect_asked_once(page: Page, pair: Pair) -> None:
    expect(page).to_have_url(THREAD)
    thread = page.url
    expect(message(page, QUESTION)).to_be_visible()
    page.reload()
    page.go_back()
    page.goto(pair.listing)
    expect(page.locator("main textarea").first).to_have_value("")
    page.get_by_role("link", name="Continue the conversation").click()
    expect(page).to_have_url(thread)
    expect(messages(page)).to_have_count(1)
    assert read_stored(page, thread) == [QUESTION]
