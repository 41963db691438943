"""What the tests of privacy share: a zip read as its owner reads it, and a search for a word in
everything that is kept."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts.models import User
from marketplace.listings.intake import PreparedPhoto, prepare_photo
from marketplace.listings.tests.files import phone_photo
from marketplace.privacy.services.archive import write_archive
from tests.cast import PASSWORD

EXPORT = "/accounts/privacy/export/"
ERASE = "/accounts/privacy/erase/"


def enter(user: User) -> Client:
    """Signed in by the form, which counts as having shown who one is only for a while."""
    client = Client()
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return client


def confirm(client: Client) -> None:
    """Type the password once more."""
    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert answer.status_code == 302, answer.content


def make_photo() -> PreparedPhoto:
    """Of a phone that writes into it who took it and where."""
    content = phone_photo()
    return prepare_photo(BytesIO(content), size=len(content))


def make_zip(user: User) -> bytes:
    target = BytesIO()
    for _done in write_archive(target, user=user):
        pass
    return target.getvalue()


def read_zip(content: bytes) -> dict[str, Any]:
    """Each JSON file by its name, without the ending."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {
            name.removesuffix(".json"): json.loads(archive.read(name))
            for name in archive.namelist()
            if name.endswith(".json")
        }


def read_whole_zip(content: bytes) -> str:
    """Everything in it as one text."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return "\n".join(archive.read(name).decode("latin-1") for name in archive.namelist())


def find_anywhere(word: str) -> set[str]:
    """Where a word is kept: tables, files and keys of the cache, in any case of letters."""
    places = {*_tables(word), *_files(word), *_cache_keys(word)}
    return {place for place in places if place}


def _tables(word: str) -> Iterator[str]:
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    with connection.cursor() as cursor:
        assert tables <= set(connection.introspection.table_names(cursor))
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                if _is_in(word, row):
                    yield table


def _is_in(word: str, row: Any) -> bool:
    values = [bytes(v).decode("latin-1") if isinstance(v, memoryview) else str(v) for v in row]
    return word.lower() in " ".join(values).lower() or word.lower() in _decoded(values)


def _decoded(values: list[str]) -> str:
    """What sessions hold, which is packed."""
    found = [
        json.dumps(Session(session_data=v).get_decoded(), default=str) for v in values if ":" in v
    ]
    return " ".join(found).lower()


def _files(word: str) -> Iterator[str]:
    for root in (Path(settings.MEDIA_ROOT), Path(settings.PRIVACY_EXPORTS_ROOT)):
        for path in root.rglob("*"):
            if path.is_file() and (word.encode() in path.read_bytes() or word in path.name):
                yield f"{root.name}/"


def _cache_keys(word: str) -> Iterator[str]:
    """By itself, or as the digest under which tries are counted, alone or after the host."""
    for text in (word, f"testserver:{word}"):
        digest = hashlib.sha256(text.encode()).hexdigest()
        yield from _keys_with(text)
        yield from _keys_with(digest)


def _keys_with(word: str) -> Iterator[str]:
    client = cache._cache.get_client()  # type: ignore[attr-defined]
    for key in client.scan_iter("*"):
        value = client.get(key) if client.type(key) == b"string" else b""
        if word.encode().lower() in key.lower() + (value or b"").lower():
            yield "cache"
