"""Who is behind session keys, for many sockets at a time; what Django asks for one at a time."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user,
    get_user_model,
    load_backend,
)
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.cached_db import SessionStore as CachedSessionStore
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from messaging.gathering import outcome_of
from messaging.sessions import SessionStamp

Contents = Mapping[str, Any]  # Of a session.
Found = tuple[Any, SessionStamp]  # An active user, and what a write is made in.

# Whoever changes one of these means something else by a session than its row.
OF_A_ROW = ("_get_session_from_db", "_get_session", "get", "__getitem__", "items", "session_key")


class SessionCopy(dict[str, Any]):
    """What is in a session, for `get_user`: it ends a session with a wrong hash, and gives one with
    the hash of an earlier key another key, which only the answer to a page could tell the browser.
    """

    def cycle_key(self) -> None: ...

    def flush(self) -> None: ...


def reads_together() -> bool:
    """Whether sessions are rows and people come from them, so that many are found at a time."""
    return _reads_together(settings.SESSION_ENGINE, tuple(settings.AUTHENTICATION_BACKENDS))


@lru_cache
def _reads_together(engine: str, backends: Sequence[str]) -> bool:
    store: Any = import_module(engine).SessionStore
    own: Any = DatabaseSessionStore
    return (
        issubclass(store, own)
        and store.load in (own.load, CachedSessionStore.load)
        and all(getattr(store, name) is getattr(own, name) for name in OF_A_ROW)
        and all(type(load_backend(path)).get_user is ModelBackend.get_user for path in backends)
    )


def authenticate_sessions(keys: Iterable[str]) -> dict[str, Found | Exception]:
    """The active user and the stamp of each session that has one, as Django's `get_user` would
    find them; unlike that it changes nothing. Two queries for all, where `reads_together`; else
    each is asked about in its own way."""
    if not reads_together():
        return _present({key: outcome_of(_authenticate, key) for key in set(keys)})
    sessions = _read_sessions(set(keys))
    numbers = {key: outcome_of(_number_in, session) for key, session in sessions.items()}
    wanted = {number for number in numbers.values() if not isinstance(number, Exception)}
    rows = get_user_model()._default_manager.in_bulk(wanted - {None})

    def identify(key: str) -> Found | None:
        number = numbers[key]
        if isinstance(number, Exception):
            raise number
        return _identify(key, sessions[key], rows.get(number))

    return _present({key: outcome_of(identify, key) for key in sessions})


def _present(found: Mapping[str, Found | Exception | None]) -> dict[str, Found | Exception]:
    return {key: each for key, each in found.items() if each is not None}


def _authenticate(key: str) -> Found | None:
    store = import_module(settings.SESSION_ENGINE).SessionStore(key)
    session = SessionCopy(store.items())
    request: Any = SimpleNamespace(session=session)
    user: Any = get_user(request)
    if not user.is_authenticated or not user.is_active:
        return None
    return user, SessionStamp(key=store.session_key, auth_hash=store.get(HASH_SESSION_KEY, ""))


def _read_sessions(keys: set[str]) -> dict[str, Contents]:
    engine: Any = import_module(settings.SESSION_ENGINE).SessionStore
    stores = {key: engine(key) for key in keys}
    valid = [store.session_key for store in stores.values() if store.session_key]
    rows = engine.get_model_class().objects.filter(
        session_key__in=valid, expire_date__gt=timezone.now()
    )
    found = dict(rows.values_list("session_key", "session_data")) if valid else {}
    return {
        key: store.decode(found[store.session_key])
        for key, store in stores.items()
        if store.session_key in found
    }


def _number_in(session: Contents) -> Any:
    """Of the user, by a backend that there is; None without one."""
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    number = session.get(SESSION_KEY)
    return None if number is None else get_user_model()._meta.pk.to_python(number)


def _identify(key: str, session: Contents, user: Any) -> Found | None:
    if user is None or not user.is_active:
        return None
    backend: Any = load_backend(session[BACKEND_SESSION_KEY])
    if not backend.user_can_authenticate(user) or not _has_valid_hash(session, user):
        return None
    return user, SessionStamp(key=key, auth_hash=session.get(HASH_SESSION_KEY, ""))


def _has_valid_hash(session: Contents, user: Any) -> bool:
    """Made with the password of now, by the secret key of now or by an earlier one."""
    if not hasattr(user, "get_session_auth_hash"):
        return True
    given = session.get(HASH_SESSION_KEY, "")
    return bool(given) and (
        constant_time_compare(given, user.get_session_auth_hash())
        or any(constant_time_compare(given, each) for each in user.get_session_auth_fallback_hash())
    )
