"""Static files: hashed, compressed, served by the web process."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static
from django.test import Client
from pytest_django import Settings

from marketplace.static_files import HashedStaticFilesStorage

pytestmark = pytest.mark.usefixtures("as_served")

HASHED = re.compile(r"/static/marketplace/css/base\.[0-9a-f]{12}\.css")


def test_names_carry_the_hash_in_debug_as_well(settings: Settings) -> None:
    settings.DEBUG = True
    assert HASHED.fullmatch(static("marketplace/css/base.css"))


def test_a_module_imports_the_hashed_names_of_others() -> None:
    imports = []
    for name in Path(django_settings.STATIC_ROOT).glob("messaging/js/*.????????????.js"):
        imports += re.findall(r"""from\s*["'](\./[^"']+)["']""", name.read_text())
    assert imports
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", name) for name in imports)


def test_a_hashed_file_is_served_to_be_kept_for_ever(client: Client) -> None:
    response = client.get(static("marketplace/css/base.css"))
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/css")
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_it_comes_compressed_to_who_takes_that(client: Client) -> None:
    response = client.get(static("marketplace/css/base.css"), headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["nothing.css", "../main.sqlite3", "%2e%2e/main.sqlite3", "staticfiles.json"]
)
def test_anything_else_is_404_in_debug_as_well(settings: Settings, name: str) -> None:
    assert Client().get(f"/static/{name}").status_code == 404
    settings.DEBUG = True
    assert Client().get(f"/static/{name}").status_code == 404


def find_converter(name: str) -> Callable[[Any], str]:
    assert isinstance(staticfiles_storage, HashedStaticFilesStorage)
    return staticfiles_storage.url_converter(name, {}, "from '%(url)s'")


def test_a_reference_of_ours_that_leads_nowhere_stops_the_build() -> None:
    convert = find_converter("messaging/js/page.js")
    match = re.match(r"(?P<matched>from '(?P<url>[^']+)')", "from './nowhere.js'")
    with pytest.raises(ValueError, match="could not be found"):
        convert(match)


def test_a_reference_of_a_package_that_leads_nowhere_is_left_alone() -> None:
    convert = find_converter("package/js/page.js")
    match = re.match(r"(?P<matched>from '(?P<url>[^']+)')", "from './nowhere.js'")
    assert convert(match) == "from './nowhere.js'"
