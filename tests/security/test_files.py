"""Photos of listings and copies of data: who can fetch them, and how long."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from marketplace.listings import services
from marketplace.listings.intake import prepare_photo
from marketplace.listings.models import Listing
from marketplace.listings.tests.files import REFUSED, picture, upload
from marketplace.privacy.services.erasure import request_erasure
from marketplace.privacy.tasks import erase_account
from tests.security.bodies import LISTING

pytestmark = pytest.mark.django_db
OLD_FORMATS = {"fits", "svg", "gif", "tiff", "bmp"}


def add_photo(listing: Listing) -> list[str]:
    """The addresses of it, small and large."""
    content = picture()
    [photo] = services.add_photos(
        listing=listing, photos=[prepare_photo(BytesIO(content), size=len(content))]
    )
    return [f"/media/{photo.large.name}", f"/media/{photo.small.name}"]


def statuses(client: Client, paths: list[str]) -> set[int]:
    return {client.get(path).status_code for path in paths}


@pytest.mark.django_db(transaction=True)
def test_an_erased_persons_photos_are_gone(client: Client, seller: User, listing: Listing) -> None:
    paths = add_photo(listing)
    assert statuses(client, paths) == {200}
    erase_account(request_erasure(user=seller).pk)
    assert statuses(client, paths) == {404}
    assert not [path for path in paths if (Path(settings.MEDIA_ROOT) / path[7:]).exists()]


@pytest.mark.django_db(transaction=True)
def test_a_photo_that_was_taken_away_is_gone(
    client: Client, seller: User, listing: Listing, client_of: Any
) -> None:
    paths = add_photo(listing)
    fields = LISTING | {"remove": [listing.photos.get().pk]}
    assert client_of(seller).post(f"/sell/{listing.slug}/", fields).status_code == 302
    assert statuses(client, paths) == {404}


def test_no_page_names_the_photos_of_what_was_withdrawn(
    client: Client, seller: User, listing: Listing, stranger: User, client_of: Any
) -> None:
    """Only whoever has the address, which nobody can guess, still has the picture."""
    paths = add_photo(listing)
    services.change_state(listing=listing, state=Listing.State.WITHDRAWN)
    for someone in (client, client_of(stranger)):
        for page in ("/", f"/listings/{listing.slug}/"):
            text = someone.get(page).content.decode()
            assert not [path for path in paths if path in text]
    assert paths[0] in client_of(seller).get(f"/listings/{listing.slug}/").content.decode()


def test_nobody_takes_away_the_photos_of_others(
    buyer: User, seller: User, listing: Listing, client_of: Any
) -> None:
    """Not with the number of somebody else's photo in a form of one's own, either."""
    add_photo(listing)
    own = Listing.objects.create(seller=buyer, title="Lamp", slug="lamp", text="Bright.", price=1)
    fields = LISTING | {"remove": [listing.photos.get().pk]}
    client_of(buyer).post(f"/sell/{own.slug}/", fields)
    client_of(buyer).post(f"/sell/{listing.slug}/", fields)
    assert listing.photos.count() == 1


@pytest.mark.parametrize(
    "name",
    [
        "photos/../trato.sqlite3",
        "../exports/x.zip",
        "photos/%2e%2e/x",
        "photos/",
        "",
        "photos/x.svg",
    ]
    + [f"photos/{'a' * 32}.html"],
)
def test_no_other_file_is_served(name: str, client: Client) -> None:
    assert client.get(f"/media/{name}").status_code in (404, 301)


@pytest.mark.parametrize("after", ["%0A", "%0a%0a", "%00", "%E2%80%AE", "%20", ".html", "/"])
def test_a_photo_has_one_name(after: str, client: Client, listing: Listing) -> None:
    for path in add_photo(listing):
        assert client.get(path).status_code == 200
        assert client.get(path + after).status_code == 404


@pytest.mark.parametrize("kind", sorted(OLD_FORMATS & set(REFUSED)))
def test_formats_that_nobody_needs_are_not_even_opened(
    kind: str, seller: User, client_of: Any
) -> None:
    """Under the name and the type of a photo: what it is decides."""
    for name, type in (("x.jpg", "image/jpeg"), ("x.svg", "image/svg+xml")):
        fields = LISTING | {"photos": [upload(REFUSED[kind], name, type)]}
        assert client_of(seller).post("/sell/new/", fields).status_code == 400
    assert not Listing.objects.exists()
