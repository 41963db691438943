"""The cache, which holds who is online and how often somebody has tried to sign in."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.checks import CheckMessage
from django.utils.translation import gettext as _

from notifications.findings import doubtful, fine, wrong

LONGEST_SECONDS = 1.0
OF_ONE_PROCESS = ("locmem.LocMemCache", "dummy.DummyCache")


def ask_cache() -> Iterator[CheckMessage]:
    configured: dict[str, Any] = settings.CACHES["default"]
    if str(configured["BACKEND"]).endswith(OF_ONE_PROCESS):
        yield doubtful(
            _(
                "The cache belongs to each process alone: who is online elsewhere is not known, and"
                " tries to sign in are counted by each process for itself."
            ),
            _("Set REDIS_URL, or CACHES to one that all processes share."),
        )
        return
    yield from _judge_deadline(configured)
    yield _try_cache()


def _judge_deadline(configured: dict[str, Any]) -> Iterator[CheckMessage]:
    if "Redis" not in str(configured["BACKEND"]):
        return
    timeout = configured.get("OPTIONS", {}).get("socket_timeout")
    if timeout is None:
        yield doubtful(
            _("Calls to the cache have no deadline: with a Redis that hangs, so does every page."),
            _("Set socket_timeout and socket_connect_timeout in OPTIONS of CACHES to 0.2 seconds."),
        )
    elif timeout > LONGEST_SECONDS:
        yield doubtful(
            _("A page may wait %(seconds)g seconds for the cache.") % {"seconds": timeout},
            _("Set socket_timeout in OPTIONS of CACHES to 0.2 seconds."),
        )


def _try_cache() -> CheckMessage:
    key, value = "messaging.doctor", uuid.uuid4().hex
    try:
        cache.set(key, value, 60)
        began = time.monotonic()
        kept = cache.get(key)
    except Exception:
        return wrong(
            _("The cache does not answer: nobody is shown online, and nobody can sign in."),
            _("Start Redis, then look at REDIS_URL."),
        )
    if kept != value:
        return wrong(
            _("The cache forgets at once what it is given."), _("Is its memory full? Give it more.")
        )
    milliseconds = round((time.monotonic() - began) * 1000, 1)
    return fine(_("The cache answers in %(milliseconds)s ms.") % {"milliseconds": milliseconds})
