"""Who signs out leaves nothing of theirs on the device, wherever they do it; and whoever is not
known to be out keeps everything."""

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tests.browser.outages import KEPT
from tests.browser.people import People
from tests.browser.test_outbox import write_and_begin

pytestmark = pytest.mark.browser


def test_from_the_list_of_sessions(buyer: Page, seller: Page) -> None:
    write_and_begin(buyer, seller.url)
    buyer.on("dialog", lambda dialog: dialog.accept())
    buyer.goto("/accounts/sessions/")
    buyer.get_by_role("listitem").filter(has_text="this one").get_by_role("button").click()
    expect(buyer.get_by_role("link", name="Sign in")).to_be_visible()
    assert buyer.evaluate(KEPT) == []


def test_what_was_not_answered_well_is_tried_again(
    buyer: Page, seller: Page, distant_people: People
) -> None:
    """Whether they are out is not known: they are told, and nothing is deleted."""
    distant_people.expect_complaints("502")
    write_and_begin(buyer, seller.url)
    said: list[str] = []

    def hear(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.accept()

    def answer_badly(route: Route) -> None:
        route.fulfill(status=502)

    buyer.on("dialog", hear)
    buyer.route("**/logout/", answer_badly)
    buyer.get_by_label("Your account").click()
    button = buyer.get_by_role("button", name="Sign out")
    with buyer.expect_event("dialog", lambda dialog: "did not work" in dialog.message):
        button.click()
    assert len(said) == 2  # It was asked first whether unsent messages may go.
    assert len(buyer.evaluate(KEPT)) == 2
    buyer.unroute("**/logout/")
    button.click()
    expect(buyer.get_by_role("link", name="Sign in")).to_be_visible()
    assert buyer.evaluate(KEPT) == []
    buyer.goto("/conversations/")
    expect(buyer.get_by_label("Password")).to_be_visible()
