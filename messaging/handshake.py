"""What a WebSocket handshake carries, read from the ASGI scope. No rule is broken by raising."""

from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http import parse_cookie
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from messaging import conf, fields

Scope = dict[str, Any]


def _header(scope: Scope, name: bytes) -> str | None:
    """A header that came exactly once."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].decode("latin1") if len(values) == 1 else None


def read_origin(scope: Scope) -> str | None:
    return _header(scope, b"origin")


def has_allowed_origin(scope: Scope) -> bool:
    """Scheme, host and port exactly as configured; none, `null` and doubled ones are foreign.

    Channels' own validators leave out the scheme and the port, or raise on a broken port.
    """
    origin = read_origin(scope)
    return origin is not None and origin.lower() in {o.lower() for o in conf.allowed_origins()}


def read_session_key(scope: Scope) -> str:
    cookie = _header(scope, b"cookie")
    key = parse_cookie(cookie).get(settings.SESSION_COOKIE_NAME, "") if cookie else ""
    return "" if "\x00" in key else key  # PostgreSQL refuses a NUL with an error.


def read_after(scope: Scope) -> int | None:
    """The revision to replay from. Raises Invalid."""
    query = parse_qs(scope["query_string"].decode("latin1"))
    return fields.read_number({"after": query.get("after", [""])[-1]}, "after")


def choose_language(scope: Scope, preferred: str) -> str:
    """The person's own, else the first of the browser's that there is."""
    wanted = [preferred] if preferred else []
    wanted += [
        code for code, _ in parse_accept_lang_header(_header(scope, b"accept-language") or "")
    ]
    for code in wanted:
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
