"""Refusals and failures as pages in the product's clothes, or as JSON where that was asked for."""

import sys
from http import HTTPStatus

from django.core.exceptions import SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
    QueryDict,
)
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import get_template
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from messaging.http import wants_json

# The database or the cache does not answer. What counts tries is in the cache: without it nobody
# logs in, because nobody could be stopped from guessing.
OUTAGES = (OperationalError, InterfaceError, RedisError)
UNFINISHED = "marketplace_unfinished"  # A refusal whose page is still to be put in.


def respond(request: HttpRequest, *, status: HTTPStatus, code: str, detail: str) -> HttpResponse:
    """The error as `{"code", "detail"}` or as the page `<status>.html`."""
    if wants_json(request):
        return JsonResponse({"code": code, "detail": detail}, status=status)
    return render(request, f"{status.value}.html", {"detail": detail}, status=status)


def refuse(request: HttpRequest, *, status: HTTPStatus, code: str, detail: str) -> HttpResponse:
    """For Django, which asks in a thread that belongs to no request: a page made there would take a
    connection besides the one that the request has, and nobody would give it back. So it is the
    sentence alone, and RefusalPagesMiddleware puts it into its page."""
    if wants_json(request):
        return respond(request, status=status, code=code, detail=detail)
    response = HttpResponse(detail, status=status, content_type="text/plain; charset=utf-8")
    setattr(response, UNFINISHED, detail)
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = _("This request could not be read. Go back and try again.")
    return respond_bare(request, status=HTTPStatus.BAD_REQUEST, code="invalid", detail=detail)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = _("You may not see or do this. Sign in with another account, or go back.")
    return refuse(request, status=HTTPStatus.FORBIDDEN, code="forbidden", detail=detail)


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    detail = _("This address takes no request of this kind. Go back and try again.")
    return respond(
        request, status=HTTPStatus.METHOD_NOT_ALLOWED, code="method_not_allowed", detail=detail
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = _("There is nothing at this address, or it is not yours to see.")
    return refuse(request, status=HTTPStatus.NOT_FOUND, code="not_found", detail=detail)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The code is its own: a page that is still its reader's tries again with a new token."""
    detail = _("This page was open for too long, or cookies are off. Load it again, then repeat.")
    return respond(request, status=HTTPStatus.FORBIDDEN, code="csrf_failed", detail=detail)


def server_error(request: HttpRequest) -> HttpResponse:
    """A failure, or an outage of what we need: those heal, and whoever waits gets through."""
    if isinstance(sys.exc_info()[1], OUTAGES):
        return unavailable(request)
    detail = _("Something went wrong on our side. Try again in a moment.")
    return respond_bare(
        request, status=HTTPStatus.INTERNAL_SERVER_ERROR, code="internal", detail=detail
    )


def unavailable(request: HttpRequest) -> HttpResponse:
    detail = _("A part of trato is not answering just now. Try again in a minute.")
    response = respond_bare(
        request, status=HTTPStatus.SERVICE_UNAVAILABLE, code="unavailable", detail=detail
    )
    response["Retry-After"] = "30"
    return response


def respond_bare(
    request: HttpRequest, *, status: HTTPStatus, code: str, detail: str
) -> HttpResponse:
    """Rendered without the request and its context: whatever broke may be part of them."""
    if wants_json(request):
        return JsonResponse({"code": code, "detail": detail}, status=status)
    page = get_template(f"{status.value}.html").render({"detail": detail})
    return HttpResponse(page, status=status)


class ReadableRequestMiddleware(MiddlewareMixin):
    """Refuses what no page can read. After all middleware that pages need.

    Every page reads the query, the page of a refusal too: one with too many fields must be gone by
    then. And what an address names is looked for in the database, which takes no NUL.
    """

    def process_request(self, request: HttpRequest) -> None:
        try:
            request.GET.keys()
        except SuspiciousOperation:
            request.GET = QueryDict()
            raise

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Pages that look for it themselves answer as ever."""
        if not isinstance(error, ValueError | DataError):
            return None
        if "\x00" in request.path_info:
            return page_not_found(request, error)
        if any("\x00" in value for _, values in request.GET.lists() for value in values):
            return bad_request(request, error)  # Django's admin filters by whatever it is told.
        return None


class RefusalPagesMiddleware(MiddlewareMixin):
    """Puts the page into what was refused without one: by `refuse`, or by Django, which says with
    an empty answer that a method is not allowed. Belongs after all that pages need."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return fill_in(response, method_not_allowed(request))
        if isinstance(response, HttpResponse) and hasattr(response, UNFINISHED):
            detail = {"detail": getattr(response, UNFINISHED)}
            status = response.status_code
            return fill_in(response, render(request, f"{status}.html", detail, status=status))
        return response


def fill_in(response: HttpResponse, page: HttpResponse) -> HttpResponse:
    """The page, with the headers that the response has got already."""
    response.status_code = page.status_code
    response.content = page.content
    for name, value in page.headers.items():
        response.headers[name] = value
    if response.has_header("Content-Length"):
        response.headers["Content-Length"] = str(len(page.content))
    return response
