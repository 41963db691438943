"""What people write is text: in a real browser none of it opens a dialog, loads or runs anything.

`people` fails when a browser complains or asks for anything elsewhere, a refused script among it.
"""

import json

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.cast import Pair
from tests.browser.people import People
from tests.browser.talking import composer, messages, say, start_talk, texts
from tests.security.test_hostile_text import MARKUP

pytestmark = [pytest.mark.browser, pytest.mark.processes]

# The listing's text and both names, as the database may have them from whatever came before.
PUT_EVERYWHERE = """
from accounts.models import User
from marketplace.listings.models import Listing
listing = Listing.objects.filter(slug={slug!r})
User.objects.filter(email={email!r}).update(display_name={markup!r}[:60])
listing.update(title={markup!r}[:80], text={all!r})
"""


def note_dialogs(*pages: Page) -> list[str]:
    found: list[str] = []

    def note(dialog: Dialog) -> None:
        found.append(dialog.message)
        dialog.dismiss()

    for page in pages:
        page.on("dialog", note)
    return found


def test_nothing_that_people_write_runs(people: People, pair: Pair) -> None:
    code = PUT_EVERYWHERE.format(
        slug=pair.slug, email=pair.buyer.email, markup=MARKUP[1], all="\n".join(MARKUP)
    )
    people.live.manage("shell", "--no-imports", "-c", code)
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    dialogs = note_dialogs(buyer, seller)
    thread = start_talk(buyer, pair, MARKUP[0])
    seller.goto(thread)
    for text in MARKUP[
        1:
    ]:  # Live: each comes to the other by the socket and is put in by a script.
        say(buyer, text)
        expect(composer(buyer)).to_have_value("")
    expect(messages(seller)).to_have_count(len(MARKUP))
    shown = [text.strip() for text in texts(seller).all_inner_texts()]
    assert shown == [text.strip() for text in MARKUP]
    seller.reload()  # And from the server.
    expect(messages(seller)).to_have_count(len(MARKUP))
    for page, paths in {
        buyer: ("/", pair.listing, "/conversations/", "/conversations/?q=%3Cimg", "/accounts/"),
        seller: ("/seller/", "/sell/", f"/sell/{pair.slug}/", "/people/blocked/"),
    }.items():
        for path in paths:
            page.goto(path)
            expect(page.locator("main")).to_be_visible()
    assert dialogs == []


def test_a_dialog_would_have_been_noticed(people: People) -> None:
    """Negative control."""
    page = people.open()
    dialogs = note_dialogs(page)
    page.goto("/")
    page.evaluate(f"window.alert({json.dumps('seen')})")
    assert dialogs == ["seen"]
