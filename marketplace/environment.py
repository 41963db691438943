"""Reads the environment. What is missing or unsafe is one clear sentence and a stop."""

import os
from email.utils import parseaddr
from typing import Any, NoReturn
from urllib.parse import parse_qs, unquote, urlsplit

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def stop(sentence: str) -> NoReturn:
    """End the process with a sentence instead of a traceback."""
    raise SystemExit(f"Trato cannot start: {sentence}")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value not in TRUE | FALSE:
        stop(f"{name} must be 1 or 0, not “{value}”.")
    return value in TRUE


def number(name: str, default: float, *, least: float = 0) -> float:
    value = text(name, str(default))
    try:
        parsed = float(value)
    except ValueError:
        stop(f"{name} must be a number, not “{value}”.")
    if not least <= parsed < 1e9:
        stop(f"{name} must be {least:g} or more, not {value}.")
    return parsed


def names(name: str, default: list[str]) -> list[str]:
    """A comma-separated list."""
    return [item.strip() for item in text(name).split(",") if item.strip()] or default


def address(name: str, default: str) -> str:
    value = text(name, default)
    if "@" not in parseaddr(value)[1]:
        stop(f"{name} must be an e-mail address, not “{value}”.")
    return value


def email_settings(url: str) -> dict[str, Any]:
    """Django's mail settings from `smtp://[user:password@]host:port[?tls=1]`."""
    parts = urlsplit(url)
    if parts.scheme != "smtp" or not parts.hostname:
        stop("EMAIL_URL must look like smtp://user:password@host:587?tls=1.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or 25,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parse_qs(parts.query).get("tls", ["0"])[-1] in TRUE,
    }


def send_limits(value: str) -> list[tuple[int, float]]:
    """`10/5s,60/m` as [(10, 5.0), (60, 60.0)]; `off` as []."""
    if value == "off":
        return []
    units = {"s": 1, "m": 60, "h": 3600}
    limits = []
    for item in value.split(","):
        count, _, period = item.strip().partition("/")
        length, unit = period[:-1] or "1", period[-1:]
        if not count.isdigit() or not length.isdigit() or unit not in units:
            stop(f"SEND_LIMITS must look like 10/5s,60/m or be off, not “{value}”.")
        limits.append((int(count), float(length) * units[unit]))
    return limits
