"""The Redis behind layer, cache and broker: its clock, and whether it throws work away."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage
from django.utils.translation import gettext as _

from messaging.doctor.clocks import judge_clock
from notifications.findings import doubtful, fine, unknown, wrong

DEADLINE = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}


def ask_redis() -> Iterator[CheckMessage]:
    url = layer_url()
    if not url:
        return
    with _client(url) as client:
        before = time.time()
        seconds, microseconds = client.time()
        middle = (before + time.time()) / 2
    yield judge_clock("Redis", seconds + microseconds / 1e6 - middle)


def ask_broker() -> Iterator[CheckMessage]:
    """A broker that makes room by throwing keys away throws tasks away."""
    url = broker_url()
    if not url:
        return
    try:
        with _client(url) as client:
            memory: dict[str, Any] = client.info("memory")
    except Exception:
        yield wrong(
            _("The broker does not answer: no mail leaves until it does. Nothing is lost."),
            _("Start Redis, then look at REDIS_URL or CELERY_BROKER_URL."),
        )
        return
    yield _judge_policy(memory)


def _judge_policy(memory: dict[str, Any]) -> CheckMessage:
    policy = memory.get("maxmemory_policy")
    if policy is None:
        return unknown(_("The broker does not say what it does when its memory is full."))
    if policy == "noeviction":
        return fine(_("The broker throws nothing away when its memory is full."))
    sentence = _("The broker throws keys away when its memory is full (%(policy)s), tasks too.")
    advice = _("Set maxmemory-policy to noeviction, and give the cache a Redis of its own.")
    limited = int(memory.get("maxmemory", 0)) > 0
    return (wrong if limited else doubtful)(sentence % {"policy": policy}, advice)


def ping_layer() -> None:
    """Raises what redis-py does when the layer's Redis does not answer within a second."""
    if url := layer_url():
        with _client(url) as client:
            client.ping()


def layer_url() -> str:
    hosts = settings.CHANNEL_LAYERS.get("default", {}).get("CONFIG", {}).get("hosts", [])
    first = hosts[0] if hosts else ""
    address = first.get("address", "") if isinstance(first, dict) else first
    return address if isinstance(address, str) else ""


def broker_url() -> str:
    """As redis-py spells it; empty for other kinds of brokers."""
    url = str(getattr(settings, "CELERY_BROKER_URL", "") or "")
    parts = urlsplit(url)
    if parts.scheme == "redis+socket":
        database = parse_qs(parts.query).get("virtual_host", ["0"])[-1]
        return f"unix://{parts.netloc}{parts.path}?db={database}"
    return url if parts.scheme in ("redis", "rediss") else ""


def _client(url: str) -> Any:
    import redis  # noqa: PLC0415 (a host may run without it)

    return redis.Redis.from_url(url, **DEADLINE)
