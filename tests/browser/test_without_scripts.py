"""Every task by forms and reloads, with JavaScript off."""

from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.cast import Pair
from tests.browser.people import People, sign_in
from tests.browser.talking import ask, composer, message, messages, start_talk, status, texts

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def test_a_buyer_finds_asks_and_answers(people: People, pair: Pair) -> None:
    people.expect_complaints("400 (Bad Request)")
    buyer = people.open(scripts=False)
    buyer.goto("/accounts/login/")
    sign_in(buyer, pair.buyer.email)
    buyer.goto("/")
    search = buyer.get_by_role("searchbox", name="Search listings")
    search.fill(pair.title)
    search.press("Enter")
    buyer.get_by_role("link", name=pair.title).click()
    thread = ask(buyer, "Is it still available?")
    expect(status(buyer, "Is it still available?")).to_have_text("Sent")

    reply(buyer, "x" * 4001)
    expect(buyer.get_by_role("alert")).to_contain_text("too long")
    expect(composer(buyer)).to_have_value("x" * 4001)
    reply(buyer, "I could come today.")
    expect(buyer).to_have_url(thread)
    assert texts(buyer).all_inner_texts() == ["Is it still available?", "I could come today."]

    buyer.get_by_label("Your account").click()
    buyer.get_by_role("button", name="Sign out").click()
    buyer.goto(thread)
    expect(buyer.locator("input[name=login]")).to_be_visible()


def test_a_seller_works_through_the_dashboard(people: People, pair: Pair) -> None:
    buyer = people.open(pair.buyer, scripts=False)
    start_talk(buyer, pair, "Is it still available?", "I could come today.")
    seller = people.open(pair.seller, scripts=False)
    seller.goto("/seller/")
    expect_rows(seller, 1)
    expect(seller.locator("#unread-count .count")).to_have_text("1")
    seller.get_by_role("link", name=pair.buyer.name).click()
    buyer.reload()
    expect(status(buyer, "I could come today.")).to_have_text("Sent")
    seller.get_by_role("button", name="Mark as read").click()
    expect(seller.locator("#unread-count .count")).to_have_count(0)
    buyer.reload()
    expect(status(buyer, "I could come today.")).to_have_text("Read")

    seller.goto("/seller/")
    expect_rows(seller, 1)
    seller.get_by_role("link", name=pair.buyer.name).click()
    reply(seller, "Come at six.")
    seller.goto("/seller/")
    expect_rows(seller, 0)
    seller.locator("#conversation-tabs").get_by_role("link", name="All").click()
    expect_rows(seller, 1)
    seller.get_by_role("searchbox").fill("come at six")
    seller.get_by_role("searchbox").press("Enter")
    expect_rows(seller, 1)
    seller.get_by_role("searchbox").fill("nothing of the kind")
    seller.get_by_role("searchbox").press("Enter")
    expect_rows(seller, 0)

    buyer.goto("/conversations/")
    buyer.locator("#conversation-tabs").get_by_role("link", name="Unread").click()
    expect_rows(buyer, 1)
    buyer.get_by_role("link", name=pair.seller.name).click()
    expect(message(buyer, "Come at six.")).to_be_visible()
    buyer.get_by_role("button", name="Mark as read").click()
    buyer.goto("/conversations/?state=unread")
    expect_rows(buyer, 0)


def test_older_messages_are_a_page_away(people: People, pair: Pair) -> None:
    buyer = people.open(pair.buyer, scripts=False)
    buyer.goto(start_talk(buyer, pair, *[f"Number {number}" for number in range(1, 61)]))
    expect(messages(buyer)).to_have_count(50)
    buyer.get_by_role("link", name="Older messages").click()
    expect(messages(buyer)).to_have_count(10)
    expect(message(buyer, "Number 1")).to_be_visible()
    buyer.get_by_role("link", name="Newest messages").click()
    expect(message(buyer, "Number 60")).to_be_visible()


def test_a_listing_and_a_profile_are_changed(people: People, pair: Pair) -> None:
    seller = people.open(pair.seller, scripts=False)
    seller.goto("/sell/")
    seller.get_by_role("link", name=f"Edit {pair.title}").click()
    seller.get_by_label("Price").fill("95")
    seller.get_by_label("Photos").set_input_files(make_photo())
    seller.get_by_role("button", name="Save").click()
    expect(seller.locator(".price")).to_have_text("€ 95")
    photo = seller.locator(".photos__photo img")
    assert (
        seller.request.get(str(photo.get_attribute("src")))
        .headers["content-type"]
        .startswith("image/")
    )
    seller.goto("/sell/")
    seller.get_by_label("State of").select_option("reserved")
    seller.get_by_role("button", name="Set").click()
    seller.goto(pair.listing)
    expect(seller.locator(".about .tag").first).to_have_text("Reserved")

    seller.goto("/accounts/profile/")
    seller.get_by_label("Your name").fill("Selma the Second")
    seller.get_by_role("button", name="Save").click()
    expect(seller.get_by_role("status")).to_contain_text("Your profile is saved.")
    expect(seller.get_by_label("Your name")).to_have_value("Selma the Second")


def reply(page: Page, text: str) -> None:
    composer(page).fill(text)
    page.get_by_role("button", name="Send").click()


def expect_rows(page: Page, count: int) -> None:
    expect(page.locator("#conversation-rows li")).to_have_count(count)


def make_photo() -> FilePayload:
    content = BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((900, 600)).save(content, "JPEG")
    return {"name": "armchair.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()}
