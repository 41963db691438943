"""Who is behind a session key, and whether they still are.

A socket outlives the request that opened it, so every write over it asks again. Two things end a
session: its row goes (log-out, a session ended from elsewhere), or the password changes, which
leaves the row but not the hash inside it (`AbstractBaseUser.get_session_auth_hash`). The hash may
have been made with an earlier key (`SECRET_KEY_FALLBACKS`): the next page makes it anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, Value
from django.utils import timezone


@dataclass(frozen=True, slots=True)
class SessionStamp:
    """The session a draft was written in: its key, and the password's hash it was opened with."""

    key: str
    auth_hash: str


ALIVE = "SELECT session_key FROM {table} WHERE expire_date > %s AND session_key IN ({places})"


def are_in_database() -> bool:
    """Whether sessions are rows; a cached copy beside them makes no difference."""
    return issubclass(import_module(settings.SESSION_ENGINE).SessionStore, DatabaseSessionStore)


def find_alive(keys: Iterable[str]) -> set[str]:
    """Those of the keys whose sessions exist and have not expired."""
    wanted = set(keys)
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if are_in_database():
        return _find_rows(sorted(wanted)) if wanted else set()
    return {key for key in wanted if store().exists(key)}


def _find_rows(keys: Sequence[str]) -> set[str]:
    """Asked for every batch of messages, where the ORM would take longer than the database."""
    places = ", ".join(["%s"] * len(keys))
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(ALIVE.format(table=Session._meta.db_table, places=places), [now, *keys])
        return {key for (key,) in cursor.fetchall()}


def is_alive(key: str) -> Exists | Value:
    """The same of one key, as a part of another query."""
    if not are_in_database():
        return Value(key in find_alive([key]))
    return Exists(Session.objects.filter(session_key=key, expire_date__gt=timezone.now()))


@lru_cache(maxsize=4096)
def auth_hashes_of(password: str) -> frozenset[str]:
    """One of these a session opened with this (hashed) password carries: by the key of now, or by
    an earlier one."""
    user: Any = get_user_model()(password=password)
    return frozenset([user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()])


def is_valid(stamp: SessionStamp, *, alive: set[str], password: str) -> bool:
    is_of_password = not stamp.auth_hash or stamp.auth_hash in auth_hashes_of(password)
    return stamp.key in alive and is_of_password
