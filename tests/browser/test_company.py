"""More than two people on a conversation: who writes, reads along and goes is seen by all."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.cast import Cast, Pair, Person
from tests.browser.people import People
from tests.browser.talking import (
    composer,
    is_same_document,
    message,
    messages,
    read_stored,
    remember_document,
    say,
    start_talk,
    status,
)
from tests.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.processes]

CHANGE = """
from accounts.models import User
from messaging.services.participants import add_participant, remove_participant
staff = User(is_staff=True, is_superuser=True)
person = User.objects.get(email="{email}")
{change}
"""
ADD = "add_participant(conversation_id='{key}', user_id=person.pk, role='seller', added_by=staff)"
REMOVE = "remove_participant(conversation_id='{key}', user_id=person.pk, removed_by=staff)"
CLOSE = (
    "from messaging.models import *; Conversation.objects.filter(pk='{key}').update(state='closed')"
)
NOTHING_UNREAD = """
async () => {
  const headers = {Accept: "application/json"};
  const answer = await fetch("/conversations/?state=unread", {headers});
  return (await answer.json()).results.length === 0;
}
"""


@pytest.fixture
def colleague(cast: Cast) -> Person:
    return cast.next_pair().seller


def key_of(thread: str) -> str:
    return thread.rstrip("/").rpartition("/")[2]


def change_people(live: Live, thread: str, person: Person, change: str) -> None:
    code = CHANGE.format(email=person.email, change=change.format(key=key_of(thread)))
    live.manage("shell", "--no-imports", "-c", code)


def company(page: Page) -> Locator:
    return page.locator("#company")


def shown_authors(page: Page) -> list[str]:
    return page.locator(".message__author:not(.visually-hidden)").all_inner_texts()


def open_thread(people: People, person: Person, thread: str) -> Page:
    page = people.open(person)
    page.goto(thread)
    expect(page.locator("#presence")).to_have_text("here now")
    remember_document(page)
    return page


def test_who_helps_is_named_wherever_they_read_and_write(
    people: People, pair: Pair, colleague: Person, live: Live
) -> None:
    buyer = people.open(pair.buyer)
    thread = start_talk(buyer, pair, "Hello")
    seller = open_thread(people, pair.seller, thread)
    buyer = open_thread(people, pair.buyer, thread)
    say(seller, "It is still there")
    expect(message(buyer, "It is still there")).to_be_visible()
    assert shown_authors(buyer) == []
    change_people(live, thread, colleague, ADD)
    helper = f"{colleague.name} (for the seller)"
    for page in (buyer, seller):
        expect(company(page)).to_have_text(f"also with {helper}")
    assert shown_authors(buyer) == [pair.seller.name]

    third = open_thread(people, colleague, thread)
    expect(company(third)).to_have_text(f"also with {pair.seller.name}")
    say(buyer, "And the cable?")
    expect(message(third, "And the cable?")).to_be_visible()
    composer(third).press_sequentially("One")
    expect(buyer.locator("#typing")).to_have_text(f"{colleague.name} is writing")
    composer(third).press("Enter")
    say(third, "Two")
    expect(message(buyer, "Two")).to_be_visible()
    expect(message(seller, "Two")).to_be_visible()
    named = {
        buyer: [pair.seller.name, helper],
        seller: [pair.buyer.name, pair.buyer.name, helper],
        third: [pair.buyer.name, pair.seller.name, pair.buyer.name],
    }
    for page, names in named.items():
        assert shown_authors(page) == names
        assert is_same_document(page)
        page.wait_for_function(NOTHING_UNREAD)  # Else what is new begins a group of its own.
        page.reload()
        assert shown_authors(page) == names

    remember_document(buyer)
    change_people(live, thread, colleague, REMOVE)
    expect(company(buyer)).to_be_hidden()
    assert shown_authors(buyer) == [helper]
    assert is_same_document(buyer)
    buyer.reload()
    assert shown_authors(buyer) == [helper]


def test_read_by_a_colleague_is_not_read(
    people: People, pair: Pair, colleague: Person, live: Live
) -> None:
    buyer = people.open(pair.buyer)
    thread = start_talk(buyer, pair, "Hello")
    buyer.goto("/")
    seller = people.open(pair.seller)
    seller.goto(thread)
    change_people(live, thread, colleague, ADD)
    third = people.open(colleague)
    third.goto(thread)
    say(seller, "An answer")
    say(third, "And mine")
    # What the colleague says comes after what they have read.
    expect(message(seller, "And mine")).to_be_visible()
    expect(third.locator("#conversation-rows li").first).not_to_contain_text("unread")
    say(third, "And another")
    expect(message(seller, "And another")).to_be_visible()
    expect(status(seller, "An answer")).to_have_text("Sent")
    seller.reload()
    expect(company(seller)).to_contain_text(colleague.name)
    expect(status(seller, "An answer")).to_have_text("Sent")
    buyer.goto(thread)
    expect(status(seller, "An answer")).to_have_text("Read")
    expect(status(third, "And mine")).to_have_text("Read")


def test_where_nobody_is_left_the_composer_goes_and_comes_back(people: People, pair: Pair) -> None:
    buyer = people.open(pair.buyer)
    thread = start_talk(buyer, pair, "Hello")
    seller = open_thread(people, pair.seller, thread)
    composer(seller).fill("I was about to say")
    buyer.goto(f"{thread}leave/")
    buyer.get_by_role("button", name="Leave").click()
    closed = seller.locator(".closed")
    expect(closed).to_contain_text("The other person is no longer here")
    expect(closed).to_contain_text("I was about to say")
    expect(seller.locator("#said")).to_contain_text("no longer here")
    expect(composer(seller)).to_be_hidden()
    later = seller.context.new_page()
    later.goto(thread)
    expect(later.locator(".closed")).to_be_visible()
    remember_document(later)

    start_talk(buyer, pair, "Here again")
    for page in (seller, later):
        expect(message(page, "Here again")).to_be_visible()
        expect(composer(page)).to_be_visible()
        expect(composer(page)).to_have_value("I was about to say")
        expect(page.locator(".closed")).to_have_count(0)
        assert is_same_document(page)
    composer(later).press("Enter")
    expect(message(buyer, "I was about to say")).to_be_visible()


def test_a_refusal_that_the_page_did_not_expect_closes_it(
    people: People, pair: Pair, live: Live
) -> None:
    buyer = people.open(pair.buyer)
    thread = start_talk(buyer, pair, "Hello")
    open_thread(people, pair.seller, thread)
    live.manage("shell", "--no-imports", "-c", CLOSE.format(key=key_of(thread)))
    say(buyer, "Into the void")
    expect(status(buyer, "Into the void")).to_contain_text("Not sent")
    expect(buyer.locator(".closed")).to_contain_text("This conversation is closed.")
    expect(composer(buyer)).to_be_hidden()
    buyer.get_by_role("button", name="take back").click()
    expect(messages(buyer)).to_have_count(1)
    expect(buyer.locator(".closed")).to_contain_text("Into the void")
    assert read_stored(buyer, thread) == ["Hello"]
