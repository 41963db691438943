"""Everything that changes listings and their photos."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from marketplace.listings.intake import PreparedPhoto
from marketplace.listings.models import Listing, Photo

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

MOST_PHOTOS = 8
SLUG_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # Without the ones that look alike.
SLUG_SUFFIX_LENGTH = 6


@transaction.atomic
def create_listing(
    *,
    seller: "AbstractBaseUser",
    title: str,
    text: str,
    price: Decimal,
    currency: str,
    photos: Sequence[PreparedPhoto] = (),
) -> Listing:
    listing = Listing.objects.create(
        seller_id=seller.pk,
        title=title,
        slug=make_slug(title),
        text=text,
        price=price,
        currency=currency,
    )
    add_photos(listing=listing, photos=photos)
    return listing


@transaction.atomic
def update_listing(
    *,
    listing: Listing,
    title: str,
    text: str,
    price: Decimal,
    currency: str,
    removed_photos: Collection[int] = (),
    added_photos: Sequence[PreparedPhoto] = (),
) -> None:
    """The slug stays: people have the address in their messages.

    Removes before it adds, so that eight photos can be exchanged for eight others.
    """
    listing.title, listing.text = title, text
    listing.price, listing.currency = price, currency
    listing.save(update_fields=["title", "text", "price", "currency", "updated_at"])
    if removed_photos:
        remove_photos(listing=listing, photo_ids=removed_photos)
    add_photos(listing=listing, photos=added_photos)


def change_state(*, listing: Listing, state: Listing.State) -> None:
    listing.state = state
    listing.save(update_fields=["state", "updated_at"])


@transaction.atomic
def add_photos(*, listing: Listing, photos: Sequence[PreparedPhoto]) -> list[Photo]:
    """Puts the photos after those there are. Raises ValidationError when they are too many."""
    if not photos:
        return []
    # The lock keeps two requests from filling the last place twice.
    Listing.objects.select_for_update().get(pk=listing.pk)
    present = list(photos_of(listing).values_list("position", flat=True))
    if len(present) + len(photos) > MOST_PHOTOS:
        raise ValidationError(
            _("A listing has at most %(most)s photos.") % {"most": MOST_PHOTOS}, code="too_many"
        )
    first_position = max(present, default=-1) + 1
    stored = [
        store_photo(listing=listing, photo=photo, position=first_position + offset)
        for offset, photo in enumerate(photos)
    ]
    choose_thumbnail(listing=listing)
    return stored


@transaction.atomic
def remove_photos(*, listing: Listing, photo_ids: Collection[int]) -> None:
    """Photos of other listings among the ids stay untouched."""
    Listing.objects.select_for_update().get(pk=listing.pk)
    photos_of(listing).filter(pk__in=photo_ids).delete()
    choose_thumbnail(listing=listing)


def choose_thumbnail(*, listing: Listing) -> None:
    first = photos_of(listing).first()
    listing.thumbnail = str(first.small.name) if first else ""
    listing.save(update_fields=["thumbnail", "updated_at"])


def photos_of(listing: Listing) -> QuerySet[Photo]:
    """As they are now: `listing.photos` may still hold what was read for the page."""
    return Photo.objects.filter(listing=listing)


def store_photo(*, listing: Listing, photo: PreparedPhoto, position: int) -> Photo:
    """Writes both files under a random name and then the row."""
    name = f"photos/{uuid4().hex}"
    return Photo.objects.create(
        listing=listing,
        position=position,
        large=default_storage.save(f"{name}.jpg", ContentFile(photo.large.content)),
        width=photo.large.width,
        height=photo.large.height,
        small=default_storage.save(f"{name}-small.jpg", ContentFile(photo.small.content)),
        small_width=photo.small.width,
        small_height=photo.small.height,
    )


def make_slug(title: str) -> str:
    """“Touring bike, 54 cm” becomes “touring-bike-54-cm-k3v9xq”."""
    suffix = get_random_string(SLUG_SUFFIX_LENGTH, SLUG_CHARACTERS)
    return "-".join(filter(None, [slugify(title)[:100].strip("-"), suffix]))
