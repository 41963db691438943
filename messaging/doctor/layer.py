"""The channel layer: how it is set, and whether the web processes hear each other over it."""

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging import roll_call
from messaging.doctor import redis_servers
from messaging.doctor.clocks import judge_clock
from notifications.findings import doubtful, fine, wrong

IN_MEMORY = "InMemoryChannelLayer"
# redis-py 8 ends a read after 5 s by itself, which is how long channels_redis waits in one.
LEAST_READ_SECONDS = 6
LEAST_CAPACITY = 1000
ROLL_CALL_SECONDS = 1.5


def ask_layer() -> Iterator[CheckMessage]:
    if not settings.CHANNEL_LAYERS:
        yield wrong(
            _("There is no channel layer: nobody hears of anything before the next heartbeat."),
            _("Set CHANNEL_LAYERS (docs/operations.md)."),
        )
        return
    found = [*_judge_backend(), *_judge_hosts(), *_judge_capacity()]
    yield from found or [fine(_("The channel layer is set as it should be."))]


def _backend() -> str:
    return str(settings.CHANNEL_LAYERS["default"]["BACKEND"])


def _configuration() -> dict[str, Any]:
    return dict(settings.CHANNEL_LAYERS["default"].get("CONFIG", {}))


def _judge_backend() -> Iterator[CheckMessage]:
    if _backend().endswith(IN_MEMORY):
        yield wrong(
            _(
                "The channel layer is in the memory of each process: two of them hear nothing of"
                " each other, nor of the worker."
            ),
            _("Set REDIS_URL, or CHANNEL_LAYERS to a layer on Redis."),
        )
    elif _backend() == "channels_redis.core.RedisChannelLayer":
        yield doubtful(
            _(
                "The channel layer drops what does not fit into a queue, and costs more than the"
                " one with publish and subscribe."
            ),
            _("Use messaging.redis_layer.RedisPubSubChannelLayer."),
        )
    elif _backend() == "channels_redis.pubsub.RedisPubSubChannelLayer":
        yield doubtful(
            _(
                "A network that swallows what goes to Redis can make a web process stand still for"
                " good."
            ),
            _("Use messaging.redis_layer.RedisPubSubChannelLayer, which is set in the same way."),
        )


def _judge_hosts() -> Iterator[CheckMessage]:
    for host in _configuration().get("hosts", []):
        options = host if isinstance(host, dict) else {}
        timeout = options.get("socket_timeout", "unset")
        in_url = "socket_timeout=" in str(options.get("address", host))
        if timeout == "unset" and not in_url:
            yield wrong(
                _(
                    "The layer's connections have no read timeout of their own, and redis-py 8 ends"
                    " them after 5 seconds of silence."
                ),
                _("Give each of its hosts a socket_timeout of 15 seconds."),
            )
        elif isinstance(timeout, int | float) and timeout < LEAST_READ_SECONDS:
            yield wrong(
                _("The layer's connections end after %(seconds)g seconds of silence.")
                % {"seconds": timeout},
                _("Give each of its hosts a socket_timeout of 15 seconds."),
            )
        if "socket_connect_timeout" not in options:
            yield doubtful(
                _("The layer waits without end for a Redis that does not take connections."),
                _("Give each of its hosts a socket_connect_timeout of 2 seconds."),
            )


def _judge_capacity() -> Iterator[CheckMessage]:
    """Only layers with queues have one; without a word about it, it is 100."""
    layer = import_string(_backend())
    if "capacity" not in inspect.signature(layer.__init__).parameters:
        return
    capacity = int(_configuration().get("capacity", 100))
    if capacity < LEAST_CAPACITY:
        yield doubtful(
            _("The layer drops events silently when %(capacity)d of them wait.")
            % {"capacity": capacity},
            _("Set its capacity to %(least)d or more.") % {"least": LEAST_CAPACITY},
        )


def ask_bus(web_processes: int = 0) -> Iterator[CheckMessage]:
    """`web_processes`: how many there should be; 0 when nobody said."""
    if _backend().endswith(IN_MEMORY):
        return
    try:
        redis_servers.ping_layer()  # With a deadline, which closing a loop's layer has not.
        present = asyncio.run(roll_call.call(seconds=ROLL_CALL_SECONDS, expected=web_processes))
    except Exception:
        yield wrong(
            _(
                "The channel layer cannot be reached from here. Messages are stored and"
                " acknowledged, and others see them only with the next heartbeat."
            ),
            _("Start Redis, then look at REDIS_URL: the host, the password and the firewall."),
        )
        return
    yield from _judge_presence(present, web_processes)
    for process in present:
        # Its clock was read between the question and its answer.
        middle = process["time"] - process["asked"] - process["delay"] / 2
        if abs(middle) > process["delay"]:
            yield judge_clock(process["host"], middle)


def _judge_presence(present: list[dict[str, Any]], expected: int) -> Iterator[CheckMessage]:
    count = len(present)
    where = ", ".join(sorted(f"{one['host']}:{one['pid']}" for one in present))
    if not count:
        yield wrong(
            _("No web process answers over the channel layer: none runs, or none hears it."),
            _("Start the web processes. If they run: is REDIS_URL the same for all of them?"),
        )
    elif count < expected:
        yield wrong(
            ngettext(
                "%(count)d web process of %(expected)d answers over the channel layer: %(where)s.",
                "%(count)d web processes of %(expected)d answer over the channel layer: %(where)s.",
                count,
            )
            % {"count": count, "expected": expected, "where": where},
            _("Look at the log of the others: do they reach Redis, and the same one?"),
        )
    else:
        yield fine(
            ngettext(
                "%(count)d web process answers over the channel layer: %(where)s.",
                "%(count)d web processes answer over the channel layer: %(where)s.",
                count,
            )
            % {"count": count, "where": where}
        )
