"""Who is away is told by mail, once, and nobody is told what they have read."""

import re
from email.message import EmailMessage

import pytest
from playwright.sync_api import expect

from tests.browser.cast import Pair
from tests.browser.people import People
from tests.browser.talking import message, say, start_talk, status
from tests.live import Live

pytestmark = [pytest.mark.browser, pytest.mark.processes]

LINK = re.compile(r"http://localhost:\d+/conversation/[0-9a-f-]{36}/")
SECONDS = 60


def test_who_closed_the_browser_gets_one_mail(people: People, pair: Pair, live: Live) -> None:
    buyer, seller = people.open(pair.buyer), people.open(pair.seller)
    thread = start_talk(buyer, pair, "Read at once")
    seller.goto(thread)
    expect(status(buyer, "Read at once")).to_have_text("Read")
    say(buyer, "Read at once, too")
    expect(status(buyer, "Read at once, too")).to_have_text("Read")

    seller.context.close()
    expect(buyer.locator("#presence")).to_have_text("here today")
    say(buyer, "Are you still there?")
    say(buyer, "I would take it.")
    expect(status(buyer, "I would take it.")).to_have_text("Sent")
    [mail] = live.mails.wait_for(pair.seller.email, seconds=SECONDS)
    expect_about(mail, pair, thread)

    back = people.open(pair.seller)
    back.goto(link_in(mail))
    expect(message(back, "I would take it.")).to_be_visible()
    expect(status(buyer, "I would take it.")).to_have_text("Read")
    buyer.context.close()
    expect(back.locator("#presence")).to_have_text("here today")
    say(back, "Then it is yours.")
    # Whatever else was due to the seller would have come before this one.
    [answer] = live.mails.wait_for(pair.buyer.email, seconds=SECONDS)
    assert "Then it is yours." in text_of(answer)
    assert live.mails.sent_to(pair.seller.email) == [mail]


def expect_about(mail: EmailMessage, pair: Pair, thread: str) -> None:
    assert mail["Subject"] == f"About “{pair.title}”"
    assert link_in(mail) == thread
    assert text_of(mail, "html").count(thread) > 0
    for kind in ("plain", "html"):
        body = text_of(mail, kind)
        assert "Are you still there?" in body
        assert "I would take it." in body
        assert pair.buyer.name in body
    everything = f"{mail.items()} {text_of(mail)} {text_of(mail, 'html')}"
    assert pair.buyer.email not in everything


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    body = mail.get_body(preferencelist=(kind,))
    assert body, f"no {kind} part"
    return str(body.get_content())


def link_in(mail: EmailMessage) -> str:
    found = LINK.search(text_of(mail))
    assert found
    return found.group()
