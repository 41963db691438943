"""What holds around every test: a database file for SQLite, static files, an empty cache."""

import threading
from collections.abc import Callable, Iterator
from functools import cache as kept
from pathlib import Path
from typing import Any

import lucide
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import TransactionTestCase, override_settings
from django.test.client import ClientHandler
from django.utils import translation
from django.utils.decorators import sync_only_middleware
from pytest_django import Settings

from marketplace import static_files
from marketplace.static_files import StaticFilesMiddleware
from tests.services import services

load_all = ClientHandler.load_middleware
Respond = Callable[[HttpRequest], HttpResponseBase]
# What migrating has filled, and no test changes.
KEPT = {"django_content_type", "auth_permission", "django_migrations"}


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """SQLite in a file: in memory it has neither WAL nor the locks that the real one has."""
    database = connections["default"]
    if database.vendor == "sqlite":
        path = str(Path(django_settings.DATA_DIR) / "tests.sqlite3")
        database.settings_dict["TEST"]["NAME"] = path


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """A database on a server of ours goes with the server, whoever is still connected to it."""
    ours = services.postgres is not None or connections["default"].vendor == "sqlite"
    return ours or bool(request.config.getvalue("reuse_db"))


@pytest.fixture(scope="session", autouse=True)
def lonely_database(django_db_keepdb: bool, request: pytest.FixtureRequest) -> Iterator[None]:
    """On somebody's server: PostgreSQL drops no database while threads of ours hold it open."""
    if django_db_keepdb:
        yield
        return
    request.getfixturevalue("django_db_setup")
    yield
    with (
        request.getfixturevalue("django_db_blocker").unblock(),
        connections["default"].cursor() as cursor,
    ):
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    connections["default"].close()


@pytest.fixture(scope="session")
def collected_static() -> None:
    """Pages name static files by their hashes, which are made by collecting them."""
    if not (Path(django_settings.STATIC_ROOT) / "staticfiles.json").exists():
        call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def static_files_found_once(collected_static: None) -> Iterator[None]:
    """Each test's client has middleware of its own, which would look at a thousand files anew."""
    found: dict[str, Any] = {}
    find = StaticFilesMiddleware.add_files_from_manifest

    def add_found(middleware: StaticFilesMiddleware) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesMiddleware, "add_files_from_manifest", add_found)
        yield


@pytest.fixture(scope="session", autouse=True)
def pages_without_a_loop(static_files_found_once: None) -> Iterator[None]:
    """Django's test client asks for one page after the other. What is only asynchronous would make
    an event loop and a thread for each; static files alone have them here."""
    one_by_one = threading.Lock()  # Some tests have clients in threads.

    def load_without(handler: ClientHandler) -> None:
        with one_by_one, pytest.MonkeyPatch.context() as patch:
            patch.setattr(static_files, "StaticFilesMiddleware", beside_static_files)
            load_all(handler)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "load_middleware", load_without)
        yield


@pytest.fixture
def as_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what stands outside of the pages' thread: all of it as a server has it."""
    monkeypatch.setattr(ClientHandler, "load_middleware", load_all)


@sync_only_middleware
def beside_static_files(get_response: Respond) -> Respond:
    def respond(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(django_settings.STATIC_URL):
            return get_response(request)
        served = async_to_sync(StaticFilesMiddleware(sync_to_async(get_response)))
        return served(request)

    return respond


@pytest.fixture(scope="session", autouse=True)
def patient_cache() -> Iterator[None]:
    """A busy machine may take longer than a page waits. Separate processes have the real limit."""
    default = django_settings.CACHES["default"]
    options = default["OPTIONS"] | {"socket_timeout": 5, "socket_connect_timeout": 5}
    with override_settings(CACHES={"default": default | {"OPTIONS": options}}):
        yield


@pytest.fixture(scope="session", autouse=True)
def icons_drawn_once() -> Iterator[None]:
    """Most pages have dozens, each of which is a file to be read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lucide, "_render_icon", kept(lucide._render_icon))
        yield


@pytest.fixture(scope="session", autouse=True)
def tables_emptied_quickly() -> Iterator[None]:
    """After each test that commits Django would empty all tables and make all permissions anew,
    which takes longer than most of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty_tables())
        yield


@pytest.fixture(autouse=True)
def surroundings(settings: Settings, collected_static: None) -> Iterator[None]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    yield
    translation.deactivate()  # A page that a test asked for has left its language.
    empty_cache()


def empty_cache() -> None:
    """Only our own keys: the server may be somebody's."""
    backend = cache._cache  # type: ignore[attr-defined]
    client = backend.get_client()
    if keys := list(client.scan_iter(f"{cache.key_prefix}:{cache.version}:*")):
        client.delete(*keys)


@transaction.atomic
def empty_tables() -> None:
    """Those that have rows. What threads are still writing is waited for, and goes as well."""
    found = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = sorted(set(found) - KEPT)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        filled = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in tables]
        cursor.execute(" UNION ALL ".join(filled))
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")
