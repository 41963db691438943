"""Reads the environment. What is missing or unsafe is one clear sentence and a stop.

Every variable is in the table of docs/operations.md. What is wrong is said with the variable's name
and, but for secrets, with its value: URLs may hold passwords and are never repeated.
"""

import ipaddress
import os
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import dj_database_url
from django.http.request import split_domain_port, validate_host

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}
SHORTEST_SECRET = 50
SHORTEST_TOKEN = 16
FEWEST_CHARACTERS = 5  # Different ones, in a secret. Both are what `check --deploy` asks for.
# What stands in examples everywhere, and so in the first place where somebody would look.
KNOWN_SECRETS = ("django-insecure-", "change", "secret", "example", "password", "insecure", "test")
DATABASES = {"postgres", "postgresql", "sqlite"}


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


def number(name: str, default: float, *, least: float = 0, most: float = 1e9 - 1) -> float:
    value = text(name, str(default))
    try:
        parsed = float(value)
    except ValueError:
        stop(f"{name} must be a number, not “{value}”.")
    if not parsed >= least:
        stop(f"{name} must be {least:g} or more, not {value}.")
    if parsed > most:
        stop(f"{name} must be {most:,.0f} or less, not {value}.")
    return parsed


def days(name: str, default: float, *, least: float = 0) -> float:
    """A hundred years at most: what is older than calendars cannot be told from for ever."""
    return number(name, default, least=least, most=36_500)


def at_least(name: str, value: float, other: str, least: float) -> float:
    """`value`, where it makes no sense below that of another variable."""
    if value < least:
        stop(f"{name} is {value:g}, which is less than {other}: {least:g}.")
    return value


def names(name: str, default: list[str]) -> list[str]:
    """A comma-separated list."""
    return [item.strip() for item in text(name).split(",") if item.strip()] or default


def address(name: str, default: str) -> str:
    """A sender. Without a default it must be set: nobody answers for a made-up one."""
    value = text(name, default)
    if not value:
        stop(f"{name} is not set. The sender of mails, like Market <mail@market.example>.")
    if "@" not in parseaddr(value)[1]:
        stop(f"{name} must be an e-mail address, not “{value}”.")
    return value


def directory(name: str, default: Path) -> Path:
    """A folder that can be written to, or made: nothing is made here."""
    path = default.parent / text(name, default.name)
    nearest = next(parent for parent in (path, *path.parents) if os.path.exists(parent))
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        stop(f"{name} is {path}, where this process may not write.")
    return path


def secret(name: str, *, is_safe_place: bool) -> str:
    """Long and random, except while developing."""
    value = text(name)
    if not value:
        stop(f"{name} is not set. Any {SHORTEST_SECRET} random characters, the same everywhere.")
    return _judge_secret(name, value, is_safe_place=is_safe_place)


def _judge_secret(name: str, value: str, *, is_safe_place: bool) -> str:
    if is_safe_place:
        return value
    if len(value) < SHORTEST_SECRET or len(set(value)) < FEWEST_CHARACTERS:
        stop(f"{name} is too easy to guess: it must be {SHORTEST_SECRET} random characters.")
    if value.lower().startswith(KNOWN_SECRETS):
        stop(f"{name} looks like an example's. Make one: openssl rand -base64 48.")
    return value


def secrets(name: str, *, is_safe_place: bool) -> list[str]:
    """Those from before, with commas. As good as the one in use: each still opens things."""
    found = names(name, [])
    return [_judge_secret(name, value, is_safe_place=is_safe_place) for value in found]


def token(name: str) -> str:
    """Empty, or long enough that nobody finds it by trying."""
    value = text(name)
    if value and len(value) < SHORTEST_TOKEN:
        stop(f"{name} is too easy to guess: {SHORTEST_TOKEN} characters or more. Or leave it out.")
    return value


def host_names(name: str, default: list[str], *, site: str) -> list[str]:
    """What Django's ALLOWED_HOSTS takes, without the wildcard that takes everything."""
    found = names(name, default)
    if not found:
        stop(f"{name} is not set. The host names of this marketplace, with commas.")
    for host in found:
        if host == "*":
            stop(f"{name} must list the host names: “*” would let anybody pretend to be this site.")
        if "/" in host or "*" in host or (":" in host and not host.startswith("[")):
            stop(f"{name} has “{host}”: it takes host names, without scheme, port or path.")
    host, _ = split_domain_port(urlsplit(site).netloc)
    if not validate_host(host, found):
        stop(f"{name} leaves out {host}: the address in SITE_URL would be refused.")
    return found


def site_url(name: str, default: str, *, debug: bool) -> str:
    """`https://host[:port]`; plain `http` to this machine only, except while developing."""
    value = text(name, default).rstrip("/")
    if not value:
        stop(f"{name} is not set. The address people type, like https://market.example.")
    parts = split_origin(name, value)
    if parts.scheme == "https" and debug:
        stop(f"DEBUG is on and {name} is {value}: DEBUG shows its insides to whoever visits.")
    if parts.scheme == "http" and not debug and not is_loopback(parts.hostname or ""):
        stop(f"{name} is {value}: outside of this machine passwords need https.")
    return value


def origins(name: str, site: str) -> list[str]:
    """Exact origins, `site` among them."""
    found = names(name, [site])
    for origin in found:
        parts = split_origin(name, origin)
        if parts.scheme == "http" and site.startswith("https://"):
            stop(f"{name} has {origin}, which anybody on the way can pretend to be. Use https.")
    if site not in found:
        stop(f"{name} leaves out SITE_URL: pages of {site} could not open their sockets.")
    return found


def split_origin(name: str, value: str) -> SplitResult:
    parts = split_url(name, value, "https://market.example")
    rest = (parts.path, parts.query, parts.fragment)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(rest) or "@" in value:
        stop(f"{name} has “{hide_password(value)}”: it must look like https://market.example.")
    if "*" in value:
        stop(f"{name} has “{value}”: each origin must be named in full.")
    return parts


def split_url(name: str, value: str, example: str) -> SplitResult:
    """Brackets that do not close and ports that are no numbers are refused in words."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        stop(f"{name} cannot be read. It must look like {example}.")
    return parts


def hide_password(value: str) -> str:
    return value.rpartition("@")[2]


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def database(name: str, default: str) -> dict[str, Any]:
    """Django's settings of one database."""
    value = text(name, default)
    example = "postgres://user:password@host:5432/name"
    parts = split_url(name, value, example)
    if parts.scheme not in DATABASES:
        stop(f"{name} must begin with postgres:// or sqlite:///, not with “{parts.scheme}”.")
    if not parts.path.strip("/"):
        stop(f"{name} names no database. It must look like {example}.")
    if parts.scheme == "sqlite" and ":memory:" in value:
        stop(f"{name} is in memory: everything would be gone with the process.")
    try:
        return {**dj_database_url.parse(value)}
    except ValueError:
        stop(f"{name} cannot be read. It must look like {example}.")


def redis_url(name: str, *, debug: bool) -> str:
    """Empty, which is in memory, only while developing."""
    value, example = text(name), "redis://:password@127.0.0.1:6379/0"
    if not value:
        return "" if debug else stop(f"{name} is not set. For example {example}.")
    parts = split_url(name, value, example)
    place = parts.path.strip("/")
    if parts.scheme not in {"redis", "rediss", "unix"}:
        stop(f"{name} must begin with redis://, rediss:// or unix:///, not “{parts.scheme}”.")
    if parts.scheme == "unix" and not place:
        stop(f"{name} names no socket. It must look like unix:///run/redis/redis.sock.")
    if parts.scheme != "unix" and (not parts.hostname or (place and not place.isdigit())):
        stop(f"{name} must name a host and the number of a database, like {example}.")
    return value


def email_settings(name: str) -> dict[str, Any]:
    """Django's mail settings from `smtp[s]://[user:password@]host[:port][?tls=1]`."""
    value, example = text(name), "smtp://user:password@host:587?tls=1"
    parts = split_url(name, value, example)
    tls = parse_qs(parts.query).get("tls", ["0"])[-1].lower()
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or tls not in TRUE | FALSE:
        stop(f"{name} must look like {example}.")
    if parts.port == 0:
        stop(f"{name} has port 0, where nobody listens. It must look like {example}.")
    is_encrypted = parts.scheme == "smtps" or tls in TRUE
    if parts.password and not is_encrypted and not is_loopback(parts.hostname):
        stop(f"{name} would send its password for all to read. Add ?tls=1 or use smtps://.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and tls in TRUE,
    }


def proxies(name: str, *, is_https: bool) -> int:
    """How many proxies stand before this process, each of which writes X-Forwarded-For anew."""
    value = text(name)
    if not value and is_https:
        stop(f"{name} is not set. 1 behind one nginx; 0 when this process itself speaks TLS.")
    if not (value or "0").isdecimal() or int(value or "0") > 9:
        stop(f"{name} must be a number from 0 to 9, not “{value}”.")
    return int(value or "0")


def send_limits(name: str, default: str) -> list[tuple[int, float]]:
    """`10/5s,60/m` as [(10, 5.0), (60, 60.0)]; `off` as []."""
    value = text(name, default)
    if value == "off":
        return []
    units = {"s": 1, "m": 60, "h": 3600}
    limits = []
    for item in value.split(","):
        count, _, period = item.strip().partition("/")
        length, unit = period[:-1] or "1", period[-1:]
        if not count.isdigit() or not length.isdigit() or unit not in units:
            stop(f"{name} must look like 10/5s,60/m or be off, not “{value}”.")
        if not int(count) or not int(length):
            stop(f"{name} has “{item.strip()}”, which lets nobody write at all.")
        limits.append((int(count), float(length) * units[unit]))
    return limits
