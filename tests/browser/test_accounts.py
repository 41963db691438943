"""The account's pages as people use them: factors, passkeys, sessions, address, password, end."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.tests.signing_in import CODE
from tests.browser.account_pages import (
    confirm_password,
    open_account_pages,
    plug_in_authenticator,
    submit_app,
    submit_passkey,
    wait_for_next_code,
)
from tests.browser.cast import Pair
from tests.browser.codes import app_code
from tests.browser.people import DESK, PHONE, People, sign_in
from tests.browser.test_accessibility import expect_no_violation
from tests.cast import PASSWORD
from tests.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.processes]

FRONT = re.compile(r"^http://[^/]+/$")
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])


def turn_on_app(page: Page) -> str:
    page.goto("/accounts/")
    page.get_by_role("link", name="Second factor").click()
    page.get_by_role("link", name="Turn on Authenticator app").click()
    confirm_password(page)
    return submit_app(page)


def give_password(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()


def expect_signed_in(page: Page) -> None:
    page.goto("/accounts/")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def expect_signed_out(page: Page) -> None:
    page.goto("/accounts/")
    expect(page.locator("input[name=login]")).to_be_visible()


@SCRIPTS
def test_an_authenticator_app(people: People, pair: Pair, scripts: bool) -> None:
    page = people.open(pair.buyer, scripts=scripts)
    secret = turn_on_app(page)
    used = app_code(secret)
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    other = people.open(scripts=scripts)
    give_password(other, pair.buyer.email)
    other.get_by_label("Code").fill("000000")
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(other.get_by_text("This did not match")).to_be_visible()
    other.get_by_label("Code").fill(wait_for_next_code(used, secret))
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.wait_for_url(FRONT)
    expect_signed_in(other)


@SCRIPTS
def test_recovery_codes(people: People, pair: Pair, scripts: bool) -> None:
    page = people.open(pair.buyer, scripts=scripts)
    turn_on_app(page)
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert codes[3] in download.value.path().read_text()
    other = people.open(scripts=scripts)
    give_password(other, pair.buyer.email)
    other.get_by_label("Code").fill(codes[0])
    other.get_by_role("button", name="Sign in", exact=True).click()
    other.wait_for_url(FRONT)
    expect_signed_in(other)
    page.goto("/accounts/2fa/recovery-codes/")
    assert page.locator(".codes code").all_inner_texts() == codes[1:]
    page.get_by_role("link", name="Make new ones").click()
    page.get_by_role("button", name="Make new ones").click()
    expect(page.locator(".codes code")).to_have_count(10)
    assert not set(codes) & set(page.locator(".codes code").all_inner_texts())


def add_passkey(page: Page, name: str, *, signs_in: bool = True) -> None:
    page.goto("/accounts/")
    page.get_by_role("link", name="Passkeys").click()
    page.get_by_role("link", name="Add a passkey").click()
    confirm_password(page)
    submit_passkey(page, name, signs_in=signs_in)


def test_a_passkey_signs_in_without_a_password(people: People, pair: Pair) -> None:
    page = people.open(pair.buyer)
    plug_in_authenticator(page)
    add_passkey(page, "Reader at the desk")
    page.goto("/accounts/2fa/webauthn/")
    expect(page.locator(".rows b")).to_have_text("Reader at the desk")
    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/accounts/profile/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/accounts/profile/")
    expect(page.get_by_label("Your name")).to_have_value(pair.buyer.name)


def test_a_passkey_as_second_factor_only(people: People, pair: Pair) -> None:
    page = people.open(pair.buyer)
    plug_in_authenticator(page, transport="usb")
    add_passkey(page, "Key ring", signs_in=False)
    page.context.clear_cookies()
    give_password(page, pair.buyer.email)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(FRONT)
    page.goto("/accounts/2fa/webauthn/")
    page.get_by_role("link", name="Remove Key ring").click()
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey is removed.")


def test_a_passkey_of_nobody_here_is_said_in_words(people: People, pair: Pair) -> None:
    page = people.open()
    page.goto("/accounts/login/")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.evaluate("() => { navigator.credentials.get = () => Promise.reject(new Error('no')) }")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="That did not work")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_enabled()


@SCRIPTS
def test_one_browser_ends_the_session_of_another(people: People, pair: Pair, scripts: bool) -> None:
    desk, phone = people.open(scripts=scripts), people.open(viewport=PHONE, scripts=scripts)
    for page in (desk, phone):
        page.goto("/accounts/login/?next=/accounts/")
        sign_in(page, pair.buyer.email)
    desk.get_by_role("link", name="Where you are signed in").click()
    expect(desk.locator(".rows li")).to_have_count(2)
    own = desk.locator(".rows li").filter(has_text="this one")
    expect(own).to_contain_text("127.0.…")
    desk.get_by_role("button", name=re.compile("^End")).click()
    expect(desk.locator(".rows li")).to_have_count(1)
    expect_signed_out(phone)
    expect_signed_in(desk)


def test_ending_a_session_ends_what_its_browser_is_shown(people: People, pair: Pair) -> None:
    """Not only at the next page: whoever took the phone sees that it is over."""
    people.expect_complaints("401 (Unauthorized)")
    phone = people.open(viewport=PHONE)
    phone.goto("/accounts/login/?next=/conversations/")
    sign_in(phone, pair.buyer.email)
    desk = people.open()
    desk.goto("/accounts/login/?next=/accounts/sessions/")
    sign_in(desk, pair.buyer.email)
    desk.get_by_role("button", name="Sign out everywhere else").click()
    expect(phone.get_by_text("You are signed out.")).to_be_visible()


@SCRIPTS
def test_the_address_is_changed_by_a_code(
    people: People, pair: Pair, live: Live, scripts: bool
) -> None:
    new = f"new-{pair.slug}@example.net"
    page = people.open(pair.buyer, scripts=scripts)
    page.goto("/accounts/")
    page.get_by_role("link", name="E-mail address").click()
    page.get_by_label("New e-mail address").fill(new)
    page.get_by_role("button", name="Change the address").click()
    confirm_password(page)
    [mail] = live.mails.wait_for(new)
    body = mail.get_body(preferencelist=("plain",))
    assert body
    [code] = CODE.findall(body.get_content().replace("\r", ""))
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Confirm").click()
    page.goto("/accounts/")
    expect(page.get_by_role("link", name="E-mail address")).to_contain_text(new)
    told = live.mails.wait_for(pair.buyer.email)[-1]
    assert told["Subject"] == "Your e-mail address is changed"


@SCRIPTS
def test_the_password_is_changed(people: People, pair: Pair, live: Live, scripts: bool) -> None:
    page, other = (people.open(scripts=scripts) for _ in range(2))
    for each in (page, other):
        each.goto("/accounts/login/")
        sign_in(each, pair.buyer.email)
    page.goto("/accounts/")
    page.get_by_role("link", name="Password").click()
    page.get_by_label("Current Password").fill(PASSWORD)
    page.get_by_label("New Password", exact=True).fill("quite another phrase 9")
    page.get_by_label("New Password (again)").fill("quite another phrase 9")
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_role("status")).to_contain_text("Your new password is saved.")
    expect_signed_in(page)
    expect_signed_out(other)
    sign_in(other, pair.buyer.email, "quite another phrase 9")
    expect_signed_in(other)
    assert live.mails.wait_for(pair.buyer.email)[-1]["Subject"] == "Your password is changed"


@SCRIPTS
def test_an_account_is_deactivated(people: People, pair: Pair, scripts: bool) -> None:
    page = people.open(pair.seller, scripts=scripts)
    page.goto("/accounts/")
    page.get_by_role("link", name="Deactivate your account").click()
    confirm_password(page)
    page.get_by_role("button", name="Deactivate my account").click()
    expect(page.get_by_role("heading", name="Account closed")).to_be_visible()
    expect_signed_out(page)
    page.fill("input[name=login]", pair.seller.email)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Account closed")).to_be_visible()
    buyer = people.open(pair.buyer, scripts=scripts)
    buyer.goto(pair.listing)
    expect(buyer.get_by_role("button", name="Send message")).to_have_count(0)


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESK), ("dark", PHONE)], ids=["light", "dark"]
)
def test_every_account_page_is_accessible(
    people: People, pair: Pair, scheme: str, viewport: dict[str, int]
) -> None:
    page = people.open(pair.buyer, viewport=viewport, scheme=scheme)
    plug_in_authenticator(page)
    for _ in open_account_pages(page):
        expect_no_violation(page)
