"""How a page comes to its thread: once, with all that it passes through on the way.

Where a server is asynchronous Django hands a request to a thread and back for each way, in and out,
through each middleware that knows nothing of it: some twenty times for a page. Each of them waits
for a turn of its own; with a few pages at once most of the time goes into that.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware import security
from django.utils.decorators import sync_only_middleware
from django.utils.deprecation import MiddlewareMixin


@sync_only_middleware
def InOneThreadMiddleware(  # noqa: N802
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Belongs last in the list: all before it, up to one that is only asynchronous, share a thread.
    Named like the classes it stands among."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    return respond


class WithoutThread(MiddlewareMixin):
    """For one that asks nobody for anything, and stands before those that share a thread."""

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        ask = getattr(self, "process_request", None)
        change = getattr(self, "process_response", None)
        response = ask(request) if ask else None
        answer: Any = response or await self.get_response(request)  # type: ignore[misc]
        return change(request, answer) if change else answer  # type: ignore[no-any-return]


class SecurityMiddleware(WithoutThread, security.SecurityMiddleware):
    """Belongs inside of what adds headers: a host that is not ours is refused here."""
