"""Who is behind session keys, for many sockets at a time; what Django asks for one at a time."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.cached_db import SessionStore as CachedSessionStore
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from messaging.sessions import SessionStamp

Contents = Mapping[str, Any]  # Of a session.


def authenticate_sessions(keys: Iterable[str]) -> dict[str, tuple[Any, SessionStamp]]:
    """The active user and the stamp of each session that has one, as `get_user` would find them;
    unlike that it changes nothing. Two queries for all, where sessions are Django's rows and people
    come from its own backend; else one or two for each."""
    sessions = _read_sessions(set(keys))
    people = _read_people(sessions)
    return {
        key: (people[key], SessionStamp(key=key, auth_hash=sessions[key].get(HASH_SESSION_KEY, "")))
        for key in people
        if people[key].is_active and _has_valid_hash(sessions[key], people[key])
    }


def _read_sessions(keys: set[str]) -> dict[str, Contents]:
    engine: Any = import_module(settings.SESSION_ENGINE).SessionStore
    stores = {key: engine(key) for key in keys}
    if not _are_rows(engine):
        return {key: dict(store.items()) for key, store in stores.items()}
    valid = [key for key, store in stores.items() if store.session_key]
    rows = engine.get_model_class().objects.filter(
        session_key__in=valid, expire_date__gt=timezone.now()
    )
    found = rows.values_list("session_key", "session_data") if valid else ()
    return {key: stores[key].decode(data) for key, data in found}


def _are_rows(engine: Any) -> bool:
    """Which can be read together. A copy in the cache beside each makes no difference."""
    own: Any = DatabaseSessionStore
    return (
        issubclass(engine, own)
        and engine.load in (own.load, CachedSessionStore.load)
        and engine._get_session_from_db is own._get_session_from_db
    )


def _read_people(sessions: Mapping[str, Contents]) -> dict[str, Any]:
    """By the session's key, of those whose backend says that they may come in."""
    numbers, backends = {}, {}
    for key, session in sessions.items():
        path = session.get(BACKEND_SESSION_KEY)
        if SESSION_KEY in session and path in settings.AUTHENTICATION_BACKENDS:
            numbers[key] = get_user_model()._meta.pk.to_python(session[SESSION_KEY])
            backends[key] = load_backend(path)
    together = {numbers[key] for key, backend in backends.items() if _reads_rows(backend)}
    rows = get_user_model()._default_manager.in_bulk(together) if together else {}
    found = {
        key: _find(rows.get(numbers[key]), backend)
        if _reads_rows(backend)
        else backend.get_user(numbers[key])
        for key, backend in backends.items()
    }
    return {key: user for key, user in found.items() if user is not None}


def _reads_rows(backend: Any) -> bool:
    return type(backend).get_user is ModelBackend.get_user


def _find(user: Any, backend: Any) -> Any:
    return user if user is not None and backend.user_can_authenticate(user) else None


def _has_valid_hash(session: Contents, user: Any) -> bool:
    """Made with the password of now, by the secret key of now or by an earlier one."""
    if not hasattr(user, "get_session_auth_hash"):
        return True
    given = session.get(HASH_SESSION_KEY, "")
    return bool(given) and (
        constant_time_compare(given, user.get_session_auth_hash())
        or any(constant_time_compare(given, each) for each in user.get_session_auth_fallback_hash())
    )
