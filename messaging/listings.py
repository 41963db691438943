"""What this app needs of the host's listings."""

from typing import Any, Protocol

from django.apps import apps

from messaging import conf
from messaging.exceptions import NotFound
from messaging.fields import has_unstorable_text


class Listing(Protocol):
    """A thing for sale. `for_messaging()` is a class method that gives a queryset on which none
    of these costs a query of its own."""

    pk: Any
    seller: Any
    seller_id: Any
    title: str
    thumbnail_url: str
    price_label: str
    state: str
    state_label: str
    can_be_asked: bool

    def get_absolute_url(self) -> str: ...


def listing_class() -> Any:
    return apps.get_model(conf.listing_model())


def access_listing(slug: str) -> Any:
    """The listing that a URL names. Raises NotFound."""
    if has_unstorable_text(slug):
        raise NotFound()
    queryset = listing_class().for_messaging().select_related("seller")
    listing = queryset.filter(**{conf.listing_slug_field(): slug}).first()
    if listing is None:
        raise NotFound()
    return listing
