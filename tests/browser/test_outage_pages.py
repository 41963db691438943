"""Whatever goes wrong, the thread says so where everybody can read it."""

import pytest

from tests.browser.cast import Pair
from tests.browser.outage_pages import open_outage_pages
from tests.browser.outages import CUT_OFF
from tests.browser.people import DESK, PHONE, People
from tests.browser.test_privacy import expect_accessible

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESK), ("dark", PHONE)], ids=["light", "dark-phone"]
)
def test_each_state_is_accessible(
    people: People, pair: Pair, scheme: str, viewport: dict[str, int]
) -> None:
    # The last is about what the server still says to a socket that is closed in between.
    people.expect_complaints(*CUT_OFF, "401", "WebSocket is already in CLOSING or CLOSED state")
    buyer, seller = (
        people.open(person, viewport=viewport, scheme=scheme)
        for person in (pair.buyer, pair.seller)
    )
    seen = []
    for name in open_outage_pages(buyer, seller, pair):
        expect_accessible(buyer, None, name)
        seen.append(name)
    assert len(seen) == 5
