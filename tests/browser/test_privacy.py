"""A copy of one's data from asking to unpacking, and an account that goes while others look on."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.cast import Pair
from tests.browser.people import DESK, PHONE, People
from tests.browser.talking import composer, message, say, start_talk
from tests.cast import PASSWORD
from tests.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.processes]

EXPORT = "/accounts/privacy/export/"
ERASE = "/accounts/privacy/erase/"
A_WHILE = 30_000  # milliseconds: a worker is woken, or finds it by itself


def confirm(page: Page) -> None:
    """The password once more, where it is asked for."""
    expect(page).to_have_url(re.compile("/accounts/reauthenticate/"))
    page.fill("input[name=password]", PASSWORD)
    page.locator("form:has(input[name=password]) [type=submit]").click()


def download(page: Page, folder: Path) -> Path:
    with page.expect_download() as expected:
        page.get_by_role("link", name="Download").click()
    path = folder / expected.value.suggested_filename
    expected.value.save_as(path)
    return path


def read_texts(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [row["text"] for row in json.loads(archive.read("messages.json"))]


def test_a_copy_from_asking_to_unpacking(
    people: People, pair: Pair, live: Live, tmp_path: Path
) -> None:
    page = people.open(pair.buyer)
    start_talk(page, pair, "Is it still there?", "I could come today.")
    page.goto(EXPORT)
    page.get_by_role("button", name="Make a copy").click()
    confirm(page)
    expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=A_WHILE)
    assert read_texts(download(page, tmp_path)) == ["Is it still there?", "I could come today."]

    [mail] = live.mails.wait_for(pair.buyer.email)
    body = mail.get_body(("plain",))
    assert body is not None
    assert f"{live.url}{EXPORT}" in body.get_content()
    seller = people.open(pair.seller)
    people.expect_complaints("404 (Not Found)")
    href = page.get_by_role("link", name="Download").get_attribute("href")
    assert href
    seller.goto(href)
    confirm(seller)
    expect(seller.get_by_role("heading", name="Not found")).to_be_visible()


def test_a_copy_without_scripts(people: People, pair: Pair, tmp_path: Path) -> None:
    page = people.open(pair.buyer, scripts=False)
    page.goto(EXPORT)
    page.get_by_role("button", name="Make a copy").click()
    confirm(page)
    look_again = page.get_by_role("link", name="Look again")
    for _look in range(60):
        if not look_again.is_visible():
            break
        page.wait_for_timeout(500)
        look_again.click()
    assert read_texts(download(page, tmp_path)) == []


def test_somebody_goes_and_the_other_keeps_the_thread(people: People, pair: Pair) -> None:
    people.expect_complaints("401 (Unauthorized)")  # The page that was left open.
    seller, buyer = people.open(pair.seller), people.open(pair.buyer)
    thread = start_talk(buyer, pair, "Is it still there?")
    seller.goto(thread)
    say(seller, "Come at six.")
    expect(message(buyer, "Come at six.")).to_be_visible()

    desk = people.open(pair.buyer)
    desk.goto(ERASE)
    desk.get_by_label("Your e-mail address").fill(pair.buyer.email)
    desk.get_by_role("button", name="Erase my account for good").click()
    confirm(desk)
    expect(desk.get_by_role("heading", name="Your account is gone")).to_be_visible()
    desk.goto("/accounts/profile/")
    expect(desk).to_have_url(re.compile("/accounts/login/"))

    for _look in range(60):
        seller.goto(thread)
        if pair.buyer.name not in seller.content():
            break
        seller.wait_for_timeout(500)
    expect(message(seller, "Is it still there?")).to_be_visible()
    expect(seller.locator("main")).to_contain_text("Former member")
    expect(seller.locator("main")).to_contain_text("The other person is no longer here")
    expect(composer(seller)).to_have_count(0)
    assert pair.buyer.name not in seller.content()
    seller.goto("/seller/?state=all")
    assert pair.buyer.name not in seller.content()


@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [("light", DESK), ("dark", PHONE), ("dark", DESK), ("light", PHONE)],
    ids=["light", "dark-phone", "dark", "light-phone"],
)
def test_the_pages_are_accessible(
    people: People,
    pair: Pair,
    scheme: str,
    viewport: dict[str, int],
    record_pictures: Path | None,
) -> None:
    people.expect_complaints("400 (Bad Request)")
    page = people.open(pair.buyer, viewport=viewport, scheme=scheme)
    page.goto(EXPORT)
    expect_accessible(page, record_pictures, "export")
    page.get_by_role("button", name="Make a copy").click()
    confirm(page)
    expect_accessible(page, record_pictures, "export-asked")
    expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=A_WHILE)
    expect_accessible(page, record_pictures, "export-ready")
    page.goto(ERASE)
    page.get_by_label("Your e-mail address").fill("wrong@example.com")
    page.get_by_role("button", name="Erase my account for good").click()
    expect(page.get_by_text("This is not the address of this account.")).to_be_visible()
    expect_accessible(page, record_pictures, "erase")
    page.goto("/accounts/privacy/erased/")
    expect_accessible(page, record_pictures, "erased")


@pytest.fixture
def record_pictures(request: pytest.FixtureRequest) -> Path | None:
    """A folder for pictures, where somebody wants them."""
    import os

    folder = os.environ.get("PRIVACY_PICTURES")
    return Path(folder) / request.node.callspec.id if folder else None


def expect_accessible(page: Page, pictures: Path | None, name: str) -> None:
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, f"{name} is too wide by {width} px"
    found = Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    if pictures:
        page.screenshot(path=pictures / f"{name}.png", full_page=True)
