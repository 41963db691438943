"""A thread is open while a session ends: the page says so, or goes on where it may."""

import pytest
from playwright.sync_api import WebSocket, expect

from tests.browser.cast import Pair
from tests.browser.people import People, sign_in
from tests.browser.talking import (
    is_same_document,
    message,
    remember_document,
    say,
    start_talk,
    status,
)
from tests.cast import PASSWORD
from tests.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.processes]

REVOKE = """
from django.contrib.sessions.models import Session
Session.objects.filter(session_key="{key}").delete()
"""
SIGNED_OUT = "You are signed out."


def test_a_new_password_signs_out_the_others_and_this_thread_goes_on(
    people: People, pair: Pair
) -> None:
    phone, seller = people.open(), people.open(pair.seller)
    page = people.open()
    for opened in (page, phone):
        opened.goto("/accounts/login/")
        sign_in(opened, pair.buyer.email)
    thread = start_talk(page, pair, "Hello")
    sockets: list[WebSocket] = []
    page.goto("about:blank")  # Whose socket opens late is heard no more.
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto(thread)
    phone.goto(thread)
    seller.goto(thread)
    for opened in (page, phone, seller):
        expect(opened.locator("#presence")).to_have_text("here now")
        remember_document(opened)
    people.expect_complaints("401")  # A signed-out page asks once whether it still is in.

    settings = page.context.new_page()
    settings.goto("/accounts/password/change/")
    settings.fill("input[name=oldpassword]", PASSWORD)
    settings.fill("input[name=password1]", "another long password")
    if settings.locator("input[name=password2]").count():
        settings.fill("input[name=password2]", "another long password")
    settings.get_by_role("button", name="Save the password").click()
    expect(settings.get_by_role("status")).to_be_visible()

    expect(phone.get_by_text(SIGNED_OUT).first).to_be_visible()
    # The other tab of this browser was closed with them, and is back before anybody touches it.
    say(seller, "Are you still there?")
    expect(message(page, "Are you still there?")).to_be_visible()
    rooms = [socket for socket in sockets if "/ws/room/" in socket.url]
    assert [socket.is_closed() for socket in rooms] == [True, False]
    expect(message(phone, "Are you still there?")).to_have_count(0)
    say(page, "Still me")
    expect(status(page, "Still me")).to_have_text("Read")
    expect(message(seller, "Still me")).to_be_visible()
    expect(page.get_by_text(SIGNED_OUT).first).to_be_hidden()
    assert is_same_document(page)


def test_the_thread_of_one_person_is_not_gone_on_with_by_another(
    people: People, pair: Pair, live: Live
) -> None:
    """The other side signs in with the same browser: the open page is none of theirs."""
    page, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(page, pair, "Hello")
    seller.goto(thread)
    for opened in (page, seller):
        expect(opened.locator("#presence")).to_have_text("here now")

    page.context.clear_cookies()
    elsewhere = page.context.new_page()
    elsewhere.goto("/accounts/login/")
    sign_in(elsewhere, pair.seller.email)
    live.manage("shell", "--no-imports", "-c", REVOKE.format(key=pair.buyer.session))

    expect(page.get_by_text(SIGNED_OUT).first).to_be_visible()
    say(page, "From whom?")
    say(seller, "Are you there?")
    expect(status(seller, "Are you there?")).to_have_text("Sent")
    expect(status(page, "From whom?")).to_have_text("Waiting for the connection")
    expect(message(seller, "From whom?")).to_have_count(0)
