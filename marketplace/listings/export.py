"""A person's listings, as plain records for a file of theirs."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from marketplace.listings.models import Listing

Record = dict[str, Any]
PAGE = 100


def export_person(*, user: Any) -> Iterator[Record]:
    for listing in _pages(user):
        yield {
            "title": listing.title,
            "text": listing.text,
            "price": str(listing.price),
            "currency": listing.currency,
            "state": listing.state,
            "url": listing.get_absolute_url(),
            "created_at": listing.created_at.isoformat(),
            "updated_at": listing.updated_at.isoformat(),
            "photos": [str(photo.large.name) for photo in listing.photos.all()],
        }


def count_records(*, user: Any) -> int:
    return Listing.objects.filter(seller=user).count()


def photo_files(*, user: Any) -> Iterator[str]:
    """The names of the photos' files in the storage, each in its large size."""
    for listing in _pages(user):
        yield from (str(photo.large.name) for photo in listing.photos.all())


def _pages(user: Any) -> Iterator[Listing]:
    rows: QuerySet[Listing] = Listing.objects.filter(seller=user).prefetch_related("photos")
    after = 0
    while page := list(rows.filter(pk__gt=after).order_by("pk")[:PAGE]):
        yield from page
        after = page[-1].pk
