"""A browser whose way to the marketplace can be hurt: what it asks for goes by a fault proxy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import chromium
from tests.browser.cast import Pair
from tests.browser.people import People
from tests.browser.talking import message, read_stored, start_talk, texts
from tests.faults.servers.network import FaultProxy, Network
from tests.live import Live

RECONNECTED = 30_000  # milliseconds
SLOW: dict[str, Any] = {"timeout": RECONNECTED}
WAITING = "Waiting for the connection"
KEPT = "() => Object.keys(localStorage).filter((key) => key.startsWith('trato.kept'))"
NO_SOCKETS = """
window.WebSocket = class {
  static OPEN = 1;
  readyState = 3;
  constructor() { setTimeout(() => this.onclose?.({ code: 1006 })); }
  close() {}
};
"""
# What browsers say about a line that is cut, and about what the tests themselves refuse.
CUT_OFF = ("WebSocket connection to", "Failed to load resource", "ERR_INTERNET_DISCONNECTED")


@pytest.fixture(scope="package")
def proxy(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    log: Path = tmp_path_factory.mktemp("network") / "proxies.log"
    network = Network(log).start()
    yield network.open("client-web", ("127.0.0.1", live.port), "http://127.0.0.1:{port}")
    network.stop()


@pytest.fixture(scope="package")
def distant_browser(browser: Browser, live: Live, proxy: FaultProxy) -> Iterator[Browser]:
    """Takes the proxy's port for the marketplace's, so that origins and links stay as they are."""
    launched = browser.browser_type.launch(
        executable_path=chromium.find(), args=["--no-sandbox", resolve_to(live, proxy)]
    )
    yield launched
    launched.close()


@pytest.fixture
def keeping_people(browser: Browser, live: Live, proxy: FaultProxy) -> Iterator[People]:
    """Their browser keeps pages for the back button, as browsers at home do."""
    launched = browser.browser_type.launch(
        executable_path=chromium.find_whole(),
        args=["--no-sandbox", resolve_to(live, proxy)],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield from open_people(launched, live, proxy)
    launched.close()


def resolve_to(live: Live, proxy: FaultProxy) -> str:
    return f"--host-resolver-rules=MAP localhost:{live.port} 127.0.0.1:{proxy.port}"


@pytest.fixture
def distant_people(distant_browser: Browser, live: Live, proxy: FaultProxy) -> Iterator[People]:
    yield from open_people(distant_browser, live, proxy)


def open_people(launched: Browser, live: Live, proxy: FaultProxy) -> Iterator[People]:
    opened = People(launched, live)
    opened.expect_complaints(*CUT_OFF)
    yield opened
    proxy.heal()
    opened.close()
    assert not opened.complaints, opened.complaints


@pytest.fixture
def buyer(distant_people: People, pair: Pair) -> Page:
    """At the far end of a line that breaks, with the thread open."""
    page = distant_people.open(pair.buyer)
    start_talk(page, pair, "Hello")
    return page


@pytest.fixture
def seller(people: People, pair: Pair, buyer: Page) -> Page:
    """Close by, with the same thread open."""
    page = people.open(pair.seller)
    page.goto(buyer.url)
    expect(buyer.locator("#presence")).to_have_text("here now")
    return page


def cut_off(page: Page, proxy: FaultProxy) -> None:
    """The line breaks, and whatever tries to come back does not."""
    proxy.set("reset")
    page.context.set_offline(True)


def come_back(context: BrowserContext, proxy: FaultProxy) -> None:
    proxy.heal()
    context.set_offline(False)


def expect_at(seller: Page, *said: str) -> None:
    """What the other person sees and is told by the marketplace is just this, after “Hello”."""
    expect(message(seller, said[-1])).to_be_visible(timeout=RECONNECTED)
    assert read_stored(seller, seller.url) == ["Hello", *said]
    assert texts(seller).all_inner_texts() == ["Hello", *said]
