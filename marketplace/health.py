"""Two questions that whatever runs Trato asks each process: does it live, can it serve people?

Each part is asked in a thread of its own with a deadline, and one that still has not answered is
not asked again, so that a part that hangs costs neither the request nor further threads.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache

from celery_app import app as celery_app

DEADLINE = 0.8  # Seconds.
NETWORK_TIMEOUT = 0.5

executor = ThreadPoolExecutor(max_workers=4, thread_name_prefix="health")
unanswered: dict[str, Future[None]] = {}


def ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection.close()


def ask_layer() -> None:
    """On a connection of its own: that of the layer belongs to the loop and to the messages."""
    layer = settings.CHANNEL_LAYERS["default"]
    for host in layer.get("CONFIG", {}).get("hosts", []):
        timeouts = {
            "socket_timeout": NETWORK_TIMEOUT,
            "socket_connect_timeout": NETWORK_TIMEOUT,
        }
        with redis.Redis.from_url(host["address"], **timeouts) as client:
            client.ping()


def ask_cache() -> None:
    cache.get("health")


def ask_broker() -> None:
    options = {"socket_timeout": NETWORK_TIMEOUT, "socket_connect_timeout": NETWORK_TIMEOUT}
    with celery_app.connection_for_write(transport_options=options) as broker:
        broker.ensure_connection(max_retries=1, timeout=1)
        broker.default_channel  # noqa: B018 (this is where it connects)


CHECKS: dict[str, Callable[[], None]] = {
    "database": ask_database,
    "layer": ask_layer,
    "cache": ask_cache,
    "broker": ask_broker,
}


async def state_of(name: str) -> str:
    """`ok`, `down`, or `slow` when there is no answer in time. Never why: that is in the logs."""
    question = unanswered.get(name)
    if question is None or question.done():
        question = unanswered[name] = executor.submit(CHECKS[name])
    try:
        await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(question)), DEADLINE)
    except TimeoutError:
        return "slow"
    except Exception:
        return "down"
    return "ok"


def state_of_development() -> dict[str, str]:
    """`bin/dev` is ready when its worker is, which says so with a file."""
    file = os.environ.get("WORKER_READY_FILE")
    if not settings.DEBUG or not file:
        return {}
    return {"worker": "ok" if Path(file).exists() else "starting"}


@never_cache
async def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@never_cache
async def ready(request: HttpRequest) -> JsonResponse:
    states = dict(zip(CHECKS, await ask_all(state_of(name) for name in CHECKS), strict=True))
    states |= state_of_development()
    serves = states["database"] == "ok" and states.get("worker", "ok") == "ok"
    status = HTTPStatus.OK if serves else HTTPStatus.SERVICE_UNAVAILABLE
    return JsonResponse({"status": "ok" if serves else "unavailable", **states}, status=status)


async def ask_all(questions: Any) -> list[str]:
    awaitables: list[Awaitable[str]] = list(questions)
    return list(await asyncio.gather(*awaitables))


urlpatterns: list[URLPattern] = [
    path("live/", live, name="live"),
    path("ready/", ready, name="ready"),
]
