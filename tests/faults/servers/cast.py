"""Who and what a campaign's database is filled with."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Person:
    id: int
    email: str
    name: str
    session_data: str


@dataclass(frozen=True)
class Listing:
    """`seller` is the id of a person."""

    slug: str
    title: str
    seller: int


@dataclass(frozen=True)
class Cast:
    people: list[Person]
    listings: list[Listing]


def read_cast(text: str) -> Cast:
    """From what `tests.faults.servers.filling` printed."""
    found: dict[str, list[dict[str, Any]]] = json.loads(text)
    return Cast(
        people=[Person(**row) for row in found["people"]],
        listings=[Listing(**row) for row in found["listings"]],
    )
