"""Pictures of the marketplace, filled with an afternoon's conversations.

    python -m tests.browser.screenshots FOLDER

starts everything that the browser tests run on and saves browse, listing, inbox, seller dashboard,
thread, log-in, sign-up, the pages of the account and a thread while something is wrong at 375 and
1280 px, light and dark: FOLDER/<page>-<width>-<scheme>.png.

    python -m tests.browser.screenshots FOLDER --readme

also renews the pictures that the README shows, in docs/images/.
"""

import argparse
import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from tests.services import services
from tests.services.places import PROJECT

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.people import People

FILL = "from tests.browser.demo import fill; fill()"
LISTING = "Two blue chairs"
README = ("browse", "thread", "seller-dashboard")
SCHEMES = ("light", "dark")
COLOURS = 256
LARGEST = 180_000  # bytes

Shoot = Callable[["Page", str], None]


def main() -> None:
    options = parse()
    options.folder.mkdir(parents=True, exist_ok=True)
    services.start(sqlite=False)
    try:
        take_pictures(options.folder)
    finally:
        services.stop()
    if options.readme:
        for name in README:
            shrink(
                options.folder / f"{name}-1280-light.png",
                PROJECT / "docs" / "images" / f"{name}.png",
            )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--readme", action="store_true", help="renew docs/images/, too")
    return parser.parse_args()


def take_pictures(folder: Path) -> None:
    import django
    from django.core.management import call_command

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    django.setup()
    call_command("collectstatic", interactive=False, verbosity=0)
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import launch_browser
    from tests.browser.people import DESK, PHONE, People
    from tests.live import run_live

    with run_live() as live, sync_playwright() as playwright:
        photographer = Photographer(People(launch_browser(playwright), live), folder)
        for viewport in (PHONE, DESK):
            for scheme in SCHEMES:
                photographer.shoot_all(viewport, scheme)


class Photographer:
    """Sees the pages as a visitor, as Ana who buys and as Sol who sells."""

    def __init__(self, people: "People", folder: Path) -> None:
        from tests.browser.cast import Cast, Person
        from tests.browser.demo import Filled

        self.people = people
        self.folder = folder
        self.cast = Cast(people.live)
        printed = people.live.manage("shell", "--no-imports", "-c", FILL)
        self.filled = Filled(**json.loads(printed))
        self.sol = Person("Sol Marín", "sol@example.com", self.filled.sol)
        self.ana = Person("Ana Ríos", "ana@example.com", self.filled.ana)

    def shoot_all(self, viewport: dict[str, int], scheme: str) -> None:
        with closing(self.people):
            visitor, ana, sol = (
                self.people.open(person, viewport=viewport, scheme=scheme)
                for person in (None, self.ana, self.sol)
            )
            self.shoot(visitor, "/", "browse", scheme)
            visitor.get_by_role("link", name=LISTING).click()
            self.shoot(visitor, visitor.url, "listing", scheme)
            self.shoot(visitor, "/accounts/login/", "login", scheme)
            self.shoot(visitor, "/accounts/signup/", "signup", scheme)
            self.shoot(ana, "/conversations/", "inbox", scheme)
            self.shoot(sol, "/seller/", "seller-dashboard", scheme)
            self.shoot(sol, self.filled.thread, "thread", scheme)
            self.shoot_account(viewport, scheme)
            self.shoot_outages(viewport, scheme)

    def shoot_account(self, viewport: dict[str, int], scheme: str) -> None:
        """Somebody of their own each time: on the way they turn on every factor there is."""
        from tests.browser.account_pages import open_account_pages, plug_in_authenticator

        page = self.people.open(self.cast.next_pair().buyer, viewport=viewport, scheme=scheme)
        plug_in_authenticator(page)
        for name in open_account_pages(page):
            page.screenshot(path=self.folder / f"account-{name}-{viewport['width']}-{scheme}.png")

    def shoot_outages(self, viewport: dict[str, int], scheme: str) -> None:
        from tests.browser.outage_pages import open_outage_pages

        pair = self.cast.next_pair()
        buyer, seller = (
            self.people.open(person, viewport=viewport, scheme=scheme)
            for person in (pair.buyer, pair.seller)
        )
        for name in open_outage_pages(buyer, seller, pair):
            buyer.screenshot(path=self.folder / f"outage-{name}-{viewport['width']}-{scheme}.png")

    def shoot(self, page: "Page", place: str, name: str, scheme: str) -> None:
        assert page.viewport_size
        page.goto(place, wait_until="networkidle")
        width = page.viewport_size["width"]
        page.screenshot(path=self.folder / f"{name}-{width}-{scheme}.png")


def shrink(source: Path, target: Path) -> None:
    """All colours where the file stays small with them, else those of a palette."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as picture:
        plain = picture.convert("RGB")
    plain.save(target, optimize=True)
    if target.stat().st_size > LARGEST:
        palette = plain.quantize(COLOURS, dither=Image.Dither.NONE)
        palette.save(target, optimize=True)


if __name__ == "__main__":
    main()
