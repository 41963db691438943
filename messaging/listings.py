"""What this app needs of the host's listings."""

from typing import Any, Protocol

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError

from messaging import conf
from messaging.exceptions import NotFound
from messaging.fields import has_unstorable_text


class Listing(Protocol):
    """A thing for sale. `seller` may be nobody: then it cannot be asked about."""

    pk: Any
    seller: Any
    seller_id: Any
    title: str

    def get_absolute_url(self) -> str: ...


class FullListing(Listing, Protocol):
    """What a listing may have besides. `for_messaging()` is a class method that gives a queryset
    on which none of these costs a query of its own."""

    thumbnail_url: str
    price_label: str
    state: str
    state_label: str
    can_be_asked: bool


def listing_class() -> Any:
    return apps.get_model(conf.listing_model())


def shown_listings() -> Any:
    """A queryset of all of them, with what the model itself adds for being shown quickly."""
    model = listing_class()
    if hasattr(model, "for_messaging"):
        return model.for_messaging()
    return model._default_manager.all()


def find_listing(key: Any | None) -> Any | None:
    """By its primary key. None for one that is gone."""
    return shown_listings().filter(pk=key).first() if key is not None else None


def access_listing(slug: str) -> Any:
    """The listing that a URL names. Raises NotFound."""
    value = read_slug(slug)
    listings = shown_listings()
    if has_field("seller"):
        listings = listings.select_related("seller")
    found = listings.filter(**{conf.listing_slug_field(): value}).first() if value else None
    if found is None:
        raise NotFound()
    return found


def slug_of(listing: Any) -> str:
    """What the URLs call it."""
    return str(getattr(listing, conf.listing_slug_field()))


def read_slug(text: str) -> Any | None:
    """What a URL says as the field holds it; None for what no listing can be called."""
    if has_unstorable_text(text):
        return None
    name, options = conf.listing_slug_field(), listing_class()._meta
    field = options.pk if name == "pk" else options.get_field(name)
    try:
        return field.to_python(text)
    except ValidationError:
        return None


def has_field(name: str) -> bool:
    try:
        listing_class()._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def can_be_asked(listing: Any) -> bool:
    """As the listing says itself; one that says nothing can."""
    return bool(getattr(listing, "can_be_asked", True))
