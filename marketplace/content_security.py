"""Headers that limit what a page may load, who may embed it and who may keep a copy of it.

On everything that leaves this process: pages, refusals, redirects, static files. What the proxy
answers by itself bears the same ones (deploy/nginx/headers.conf).
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.utils.decorators import sync_and_async_middleware

Middleware = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

FOR_EVERYTHING = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Photos say otherwise: a mail shows them wherever it is read.
    "Cross-Origin-Resource-Policy": "same-origin",
}


@sync_and_async_middleware
def ContentSecurityMiddleware(get_response: Callable[[HttpRequest], Any]) -> Middleware:  # noqa: N802
    """Adds the headers to every response, Django's own about frames among them: on what never gets
    as far as a thread, too. Named like the classes it stands among."""
    frames = XFrameOptionsMiddleware(get_response)

    def finish(request: HttpRequest, response: Any) -> HttpResponseBase:
        return add_headers(request, frames.process_response(request, response))

    if iscoroutinefunction(get_response):

        async def respond_async(request: HttpRequest) -> HttpResponseBase:
            return finish(request, await get_response(request))

        return respond_async

    def respond(request: HttpRequest) -> HttpResponseBase:
        return finish(request, get_response(request))

    return respond


def add_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    response.headers.setdefault("Content-Security-Policy", write_policy(request))
    for name, value in FOR_EVERYTHING.items():
        response.headers.setdefault(name, value)
    # A session is private whoever it belongs to: a signed-out visitor's holds an unsent message.
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def write_policy(request: HttpRequest) -> str:
    """Nothing from elsewhere and nothing inline. Names the page's own sockets, because not every
    browser takes 'self' for them."""
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "manifest-src": "'self'",
        "connect-src": f"'self' {name_sockets(request)}".strip(),
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def name_sockets(request: HttpRequest) -> str:
    try:
        host = request.get_host()
    except DisallowedHost:
        return ""
    return f"wss://{host}" if request.is_secure() else f"ws://{host} wss://{host}"
