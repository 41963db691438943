"""Buyers and sellers for browser tests: one pair for each test, so that no test meets another's.

`add_pairs` runs in a process of the live marketplace (`Live.manage`); a test holds what it prints.
"""

import json
from dataclasses import asdict, dataclass
from decimal import Decimal

from tests.live import Live

PAIRS = "from tests.browser.cast import add_pairs; add_pairs({first}, {count})"


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    session: str  # The key of a session that is open; log-in has tests of its own.


@dataclass(frozen=True)
class Pair:
    buyer: Person
    seller: Person
    title: str
    slug: str

    @property
    def listing(self) -> str:
        return f"/listings/{self.slug}/"


class Cast:
    """Makes pairs a dozen at a time: starting a process takes longer than what it does."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.waiting: list[Pair] = []
        self.made = 0

    def next_pair(self) -> Pair:
        if not self.waiting:
            self.waiting = self.make(12)
        return self.waiting.pop(0)

    def make(self, count: int) -> list[Pair]:
        code = PAIRS.format(first=self.made + 1, count=count)
        self.made += count
        rows = json.loads(self.live.manage("shell", "--no-imports", "-c", code))
        return [
            Pair(Person(**row["buyer"]), Person(**row["seller"]), row["title"], row["slug"])
            for row in rows
        ]


def add_pairs(first: int, count: int) -> None:
    """Prints the pairs as JSON."""
    from django.contrib.auth.hashers import make_password

    from tests.cast import PASSWORD

    password = make_password(PASSWORD)  # Once for all: it is slow on purpose.
    numbers = range(first, first + count)
    print(json.dumps([asdict(add_pair(number, password)) for number in numbers]))


def add_pair(number: int, password: str) -> Pair:
    from accounts.models import User
    from marketplace.listings.services import create_listing

    buyer = add_person(f"Berta {number}", f"berta-{number}@example.org", password)
    seller = add_person(f"Selma {number}", f"selma-{number}@example.org", password)
    listing = create_listing(
        seller=User.objects.get(email=seller.email),
        title=f"Green armchair {number:03}",  # None of them is the beginning of another.
        text="Deep and low, with new springs.",
        price=Decimal(120 + number),
        currency="EUR",
    )
    return Pair(buyer, seller, listing.title, listing.slug)


def add_person(name: str, email: str, password: str) -> Person:
    from allauth.account.models import EmailAddress
    from django.test import Client

    from accounts.models import User

    user = User.objects.create(email=email, display_name=name, password=password)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    client = Client()
    client.force_login(user)
    return Person(name, email, str(client.session.session_key))
