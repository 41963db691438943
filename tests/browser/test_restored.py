"""The database is restored to an earlier state while pages are open that have seen more."""

import pytest
from playwright.sync_api import expect

from tests.browser.cast import Pair
from tests.browser.people import People
from tests.browser.talking import composer, message, read_stored, say, start_talk
from tests.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.processes]

# As a backup from before the second message has it.
GO_BACK = """
from messaging.models import Conversation, Message
conversation = Conversation.objects.get(pk="{conversation}")
Message.objects.filter(conversation=conversation, sequence__gt=1).delete()
Conversation.objects.filter(pk=conversation.pk).update(last_sequence=1, revision=1)
conversation.participants.update(read_sequence=0)
"""


def test_an_open_page_shows_what_is_stored_now(people: People, pair: Pair, live: Live) -> None:
    page, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(page, pair, "In the backup", "Lost with the disk")
    seller.goto(thread)
    page.reload()
    expect(page.locator("#presence")).to_have_text("here now")
    expect(message(page, "Lost with the disk")).to_be_visible()
    composer(page).fill("Being written")
    people.expect_complaints("WebSocket connection to", "Failed to load resource")
    live.kill("web")
    conversation = thread.rstrip("/").rpartition("/")[2]
    live.manage("shell", "--no-imports", "-c", GO_BACK.format(conversation=conversation))
    live.start("web")
    for each in (page, seller):
        expect(message(each, "Lost with the disk")).to_be_hidden(timeout=30_000)
        expect(each.locator("#presence")).to_have_text("here now", timeout=30_000)
    expect(message(page, "In the backup")).to_be_visible()
    expect(composer(page)).to_have_value("Being written")
    say(page, "After the restore")
    expect(message(seller, "After the restore")).to_be_visible(timeout=30_000)
    assert read_stored(page, thread) == ["In the backup", "After the restore"]
