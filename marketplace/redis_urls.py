"""One REDIS_URL, spelled the way each library wants it.

Deadlines are set everywhere: redis-py 8 brings a read timeout of 5 s of its own, which ends
connections that are only waiting, and kombu brings none, which waits for ever.
"""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

PREFIX = "trato"
CONNECTIONS = 100  # Of one process, for each use. More would be refused, not waited for.


def channel_layers(url: str) -> dict[str, Any]:
    if not url:
        return {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    host = {
        "address": url,
        "max_connections": CONNECTIONS,
        "socket_timeout": 15,
        "socket_connect_timeout": 2,
    }
    return {
        "default": {
            "BACKEND": "messaging.redis_layer.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [host], "prefix": _layer_prefix(url)},
        }
    }


def _layer_prefix(url: str) -> str:
    """What is published is heard in every database of a Redis: only names keep two marketplaces on
    one server apart."""
    parts = urlsplit(url)
    database = parts.path.strip("/") if parts.scheme != "unix" else ""
    database = parse_qs(parts.query).get("db", [database])[-1]
    return f"{PREFIX}.{database}." if database not in ("", "0") else PREFIX


def caches(url: str) -> dict[str, Any]:
    if not url:
        return {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    # Every call to the cache ends within 0.2 s: a page or a socket never waits for it longer.
    options = {
        "max_connections": CONNECTIONS,
        "socket_timeout": 0.2,
        "socket_connect_timeout": 0.2,
    }
    return {
        "default": {
            "BACKEND": "marketplace.redis_cache.RedisCache",
            "LOCATION": url,
            "KEY_PREFIX": PREFIX,
            "OPTIONS": options,
        }
    }


def broker_url(url: str) -> str:
    """Celery spells a unix socket `redis+socket:///path?virtual_host=<db>`."""
    if not url:
        return "memory://"
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    database = parse_qs(parts.query).get("db", ["0"])[-1]
    credentials = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return f"redis+socket://{credentials}{parts.path}?{urlencode({'virtual_host': database})}"
