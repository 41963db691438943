"""What becomes of the files that people upload."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from PIL import Image

from marketplace.listings.intake import MOST_BYTES
from marketplace.listings.models import Listing, Photo
from marketplace.listings.tests.files import REFUSED, phone_photo, picture, upload

Person = Any  # The catalogue does not know who AUTH_USER_MODEL is.
pytestmark = pytest.mark.django_db
FIELDS = {"title": "Old lamp", "text": "It gives light.", "price": "35.50", "currency": "EUR"}


@pytest.fixture
def sells(client: Client, seller: Person) -> Client:
    client.force_login(seller)
    return client


def create(client: Client, *files: SimpleUploadedFile) -> int:
    return client.post("/sell/new/", FIELDS | {"photos": list(files)}).status_code


def open_media(name: str | None) -> Image.Image:
    return Image.open(BytesIO((Path(settings.MEDIA_ROOT) / str(name)).read_bytes()))


@pytest.mark.parametrize(
    "content",
    [
        picture(),
        picture("PNG", mode="RGBA"),
        picture("PNG", mode="P"),
        picture("PNG", mode="I;16"),
        picture("WEBP"),
        picture(mode="CMYK"),
        picture(mode="L"),
        picture(size=(1, 1)),
    ],
)
def test_a_photo_is_kept_in_two_sizes(sells: Client, content: bytes) -> None:
    assert create(sells, upload(content)) == 302
    photo = Photo.objects.get()
    large, small = open_media(photo.large.name), open_media(photo.small.name)
    assert (large.format, large.mode) == ("JPEG", "RGB")
    assert large.size == (photo.width, photo.height)
    assert small.size == (photo.small_width, photo.small_height)
    assert max(large.size) <= 1280
    assert max(small.size) <= 320


def test_a_photo_stands_upright_and_says_nothing_of_its_place(sells: Client) -> None:
    original = phone_photo()
    assert b"SecretPhone" in original
    assert create(sells, upload(original)) == 302
    photo = Photo.objects.get()
    assert photo.height > photo.width
    for name in (photo.large.name, photo.small.name):
        assert not open_media(name).getexif()
        assert b"SecretPhone" not in (Path(settings.MEDIA_ROOT) / str(name)).read_bytes()


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_a_photo_is_refused_and_the_form_is_kept(sells: Client, content: bytes) -> None:
    page = sells.post(
        "/sell/new/", FIELDS | {"photos": [upload(picture(), "good.jpg"), upload(content, "x.png")]}
    )
    assert page.status_code == 400
    [sentence] = page.context["form"].errors["photos"]
    assert sentence.startswith("x.png: This ")
    assert 'value="Old lamp"' in page.content.decode()
    assert "It gives light." in page.content.decode()
    assert not Listing.objects.exists()


def test_an_empty_file_is_refused(sells: Client) -> None:
    assert create(sells, upload(b"")) == 400


def test_a_file_over_ten_megabytes_is_refused(sells: Client) -> None:
    padded = picture().ljust(MOST_BYTES + 1, b"\0")
    page = sells.post("/sell/new/", FIELDS | {"photos": [upload(padded)]})
    assert "larger than 10 MB" in page.content.decode()
    assert create(sells, upload(padded[:-1])) == 302


def test_what_follows_a_photo_in_its_file_is_gone(sells: Client) -> None:
    assert create(sells, upload(picture() + b"<script>alert(1)</script>")) == 302
    name = Photo.objects.get().large.name
    assert b"<script>" not in (Path(settings.MEDIA_ROOT) / str(name)).read_bytes()


def test_eight_photos_are_taken_and_nine_are_not(sells: Client) -> None:
    files = [upload(picture(size=(40, 30))) for _ in range(9)]
    assert create(sells, *files) == 400
    assert create(sells, *[upload(picture(size=(40, 30))) for _ in range(8)]) == 302
    listing = Listing.objects.get()
    page = sells.post(f"/sell/{listing.slug}/", FIELDS | {"photos": [upload(picture())]})
    assert page.status_code == 400
    assert "at most 8 photos" in page.content.decode()
    assert listing.photos.count() == 8


def test_a_request_that_is_too_large_is_refused_before_it_is_read(
    sells: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.listings.uploads.MOST_BYTES_AT_ONCE", 1000)
    assert create(sells, upload(picture())) == 400
    assert not Listing.objects.exists()


def test_the_first_photo_is_the_cover_and_goes_with_its_files(sells: Client) -> None:
    create(sells, upload(picture(size=(40, 30))), upload(picture(size=(60, 30))))
    listing = Listing.objects.get()
    first, second = listing.photos.all()
    assert listing.thumbnail_url == first.small.url
    paths = [Path(first.large.path), Path(first.small.path)]
    assert all(path.exists() for path in paths)

    page = sells.post(f"/sell/{listing.slug}/", FIELDS | {"remove": [first.pk]})
    assert page.status_code == 302
    listing.refresh_from_db()
    assert listing.thumbnail_url == second.small.url
    assert list(listing.photos.all()) == [second]


@pytest.mark.django_db(transaction=True)
def test_files_leave_the_disk_once_the_row_is_gone(sells: Client) -> None:
    create(sells, upload(picture(size=(40, 30))))
    photo = Photo.objects.get()
    paths = [Path(photo.large.path), Path(photo.small.path)]
    sells.post(f"/sell/{photo.listing.slug}/", FIELDS | {"remove": [photo.pk]})
    assert not any(path.exists() for path in paths)
    assert Listing.objects.get().thumbnail_url == ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("whose", ["listing", "seller"])
def test_files_leave_the_disk_with_their_listing_and_its_seller(
    sells: Client, seller: Person, staff: Person, client_of: Callable[[Person], Client], whose: str
) -> None:
    create(sells, upload(picture(size=(40, 30))))
    photo = Photo.objects.get()
    paths = [Path(photo.large.path), Path(photo.small.path)]
    target = {"listing": photo.listing, "seller": seller}[whose]
    name = f"{target._meta.app_label}_{target._meta.model_name}"

    page = client_of(staff).post(reverse(f"admin:{name}_delete", args=[target.pk]), {"post": "yes"})

    assert page.status_code == 302
    assert not Listing.objects.exists()
    assert not any(path.exists() for path in paths)


@pytest.mark.django_db(transaction=True)
def test_files_stay_when_the_deletion_is_undone(sells: Client) -> None:
    create(sells, upload(picture(size=(40, 30))))
    photo = Photo.objects.get()
    paths = [Path(photo.large.path), Path(photo.small.path)]
    with transaction.atomic():
        Listing.objects.all().delete()
        transaction.set_rollback(True)
    assert Photo.objects.exists()
    assert all(path.exists() for path in paths)
    Listing.objects.all().delete()
    assert not any(path.exists() for path in paths)


def test_nobody_removes_the_photo_of_another_listing(
    sells: Client, stranger: Person, listing: Listing
) -> None:
    create(sells, upload(picture(size=(40, 30))))
    photo = Photo.objects.get()
    page = sells.post(f"/sell/{listing.slug}/", FIELDS | {"remove": [photo.pk]})
    assert page.status_code == 400
    assert Photo.objects.filter(pk=photo.pk).exists()


def test_a_photo_is_served_to_be_kept_for_ever(sells: Client) -> None:
    create(sells, upload(picture()))
    response = Client().get(Photo.objects.get().large.url)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/jpeg"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Vary" not in response.headers or "Cookie" not in response.headers["Vary"]


@pytest.mark.parametrize(
    "name",
    [
        "photos/../../main.sqlite3",
        "..%2f..%2fmain.sqlite3",
        "photos/%2e%2e/secret.jpg",
        "photos/" + "0" * 32 + ".jpg",
        "photos/" + "0" * 32 + ".jpg/",
        "photos/" + "0" * 32 + ".png",
        "photos/",
        "//etc/passwd",
        "photos/\0.jpg",
    ],
)
def test_nothing_else_is_served_from_the_folder(client: Client, name: str) -> None:
    assert client.get(f"/media/{name}").status_code == 404
