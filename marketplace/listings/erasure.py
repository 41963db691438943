"""A person's listings go, photos and all; conversations about them keep the title."""

from typing import Any

from django.db import transaction

from marketplace.listings.models import Listing, Photo

BATCH = 50


@transaction.atomic
def erase_some(*, user: Any) -> tuple[int, list[str]]:
    """Delete up to fifty listings: how many, and the files that belonged to them.

    The caller keeps the names in the same transaction. The files follow the rows by themselves
    (receivers.py), unless this process dies between the commit and that.
    """
    keys = list(Listing.objects.filter(seller=user).order_by("pk").values_list("pk")[:BATCH])
    listings = Listing.objects.filter(pk__in=[key for (key,) in keys])
    photos = Photo.objects.filter(listing__in=listings).values_list("large", "small")
    files = [name for pair in photos for name in pair]
    listings.delete()
    return len(keys), files
