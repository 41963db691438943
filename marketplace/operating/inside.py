"""What machines inside ask each process: its health and its figures, by whatever name it has there.

Answered before the host is looked at, which is `web-1:8000` to Prometheus and an address to a load
balancer. Nothing here depends on the host, and nothing is changed.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils.decorators import sync_and_async_middleware

Middleware = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

PLACES = ("/health/", "/metrics/")


@sync_and_async_middleware
def InsideMiddleware(get_response: Callable[[HttpRequest], Any]) -> Middleware:  # noqa: N802
    """Belongs after ContentSecurityMiddleware and before whatever asks for the host. Named like the
    classes it stands among."""
    if iscoroutinefunction(get_response):

        async def respond_async(request: HttpRequest) -> HttpResponseBase:
            answer: HttpResponseBase = await ask(request) or await get_response(request)
            return answer

        return respond_async

    def respond(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PLACES):
            return get_response(request)  # type: ignore[no-any-return]
        return async_to_sync(ask)(request) or get_response(request)

    return respond


async def ask(request: HttpRequest) -> HttpResponseBase | None:
    """`None` for any other page, and where there is nothing to be told: that is a missing page."""
    if not request.path_info.startswith(PLACES):
        return None
    try:
        found = resolve(request.path_info)
        answer: HttpResponseBase = await found.func(request, *found.args, **found.kwargs)
    except Http404:
        return None
    return answer
