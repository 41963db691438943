"""A line for each request, and an id that its other lines and its answer carry."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from messaging.log_context import request_id

Finish = Callable[[HttpResponseBase], HttpResponseBase]
Middleware = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

logger = logging.getLogger("marketplace.access")

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,63}")
BEGAN = "_access_log_began"
CLIENT_WENT_AWAY = 499
# Asked every few seconds by machines, or twenty times a page: only with LOG_LEVEL=DEBUG.
QUIET = ("/health/", "/metrics/", settings.STATIC_URL)


@sync_and_async_middleware
def AccessLogMiddleware(get_response: Callable[[HttpRequest], Any]) -> Middleware:  # noqa: N802
    """Belongs first in the list. Named like the classes it stands among."""
    if iscoroutinefunction(get_response):

        async def respond_async(request: HttpRequest) -> HttpResponseBase:
            with _logged(request) as finish:
                try:
                    return finish(await get_response(request))
                except asyncio.CancelledError:
                    _log(request, CLIENT_WENT_AWAY)
                    raise

        return respond_async

    def respond(request: HttpRequest) -> HttpResponseBase:
        with _logged(request) as finish:
            return finish(get_response(request))

    return respond


@contextmanager
def _logged(request: HttpRequest) -> Iterator[Finish]:
    given = request.headers.get(HEADER, "")
    token = request_id.set(given if WELL_FORMED.fullmatch(given) else uuid.uuid4().hex)
    request.__dict__[BEGAN] = time.perf_counter()

    def finish(response: HttpResponseBase) -> HttpResponseBase:
        response.headers[HEADER] = request_id.get()
        _log(request, response.status_code)
        return response

    try:
        yield finish
    finally:
        request_id.reset(token)


def _log(request: HttpRequest, status: int) -> None:
    """The path without its query, which holds what people search for and where they go next."""
    details = {
        "method": request.method,
        "path": request.path,
        "status": status,
        "milliseconds": round((time.perf_counter() - request.__dict__[BEGAN]) * 1000, 1),
        "user": _user_id(request),
    }
    level = logging.DEBUG if request.path.startswith(QUIET) else logging.INFO
    logger.log(level, "request", extra={"details": details})


def _user_id(request: HttpRequest) -> Any:
    """Of whoever the request turned out to be from. Asks nobody for it."""
    for name in ("_cached_user", "_acached_user"):
        user = getattr(request, name, None)
        if user is not None and user.pk is not None:
            return user.pk if isinstance(user.pk, int) else str(user.pk)
    return None
