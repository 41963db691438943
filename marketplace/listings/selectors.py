"""Everything that reads listings."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.http import Http404

from marketplace.listings.models import Listing

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

MOST_WORDS = 8


def browse_listings(
    *,
    words: str = "",
    price_from: Decimal | None = None,
    price_to: Decimal | None = None,
    states: Iterable[str] = Listing.OFFERED,
) -> QuerySet[Listing]:
    """Newest first. Every word must be in the title or in the text. Never a withdrawn one, nor
    one of somebody who may not sign in any more."""
    listings = Listing.objects.filter(state__in=states, seller__is_active=True)
    listings = listings.exclude(state=Listing.State.WITHDRAWN)
    for word in words.split()[:MOST_WORDS]:
        listings = listings.filter(Q(title__icontains=word) | Q(text__icontains=word))
    if price_from is not None:
        listings = listings.filter(price__gte=price_from)
    if price_to is not None:
        listings = listings.filter(price__lte=price_to)
    return listings.order_by("-created_at", "-id")


def access_listing(*, slug: str) -> Listing:
    """With its seller and photos. Raises Http404."""
    listing = Listing.objects.select_related("seller").prefetch_related("photos").filter(slug=slug)
    return first_or_404(listing)


def access_own_listing(*, user: "AbstractBaseUser | AnonymousUser", slug: str) -> Listing:
    """For its seller to change. Raises Http404 for everybody else, as for a missing one."""
    listing = Listing.objects.prefetch_related("photos").filter(slug=slug, seller_id=user.pk)
    return first_or_404(listing)


def list_own_listings(*, user: "AbstractBaseUser | AnonymousUser") -> QuerySet[Listing]:
    return Listing.objects.filter(seller_id=user.pk).order_by("-created_at", "-id")


def first_or_404(listings: QuerySet[Listing]) -> Listing:
    listing = listings.first()
    if listing is None:
        raise Http404
    return listing
