"""Our own pages for refusals in debug too, where Django would show its tables.

Whoever tries the product out sees what everybody will see. Failures keep Django's page, which
helps to find them.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest, MiddlewareNotUsed, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter

from marketplace import errors

REFUSALS = (BadRequest, SuspiciousOperation, *errors.OUTAGES)
REFUSED = "marketplace_refused"  # What was raised, on its request.


class DebugOnlyMiddleware(MiddlewareMixin):
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.DEBUG:
            raise MiddlewareNotUsed
        super().__init__(get_response)


class MissingPagesInDebugMiddleware(DebugOnlyMiddleware):
    """Belongs last in the list: the page has forms, and their cookies are set by what is around."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.page_not_found(request, exception) if isinstance(exception, Http404) else None

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.status_code == 404 and request.resolver_match is None:
            return errors.page_not_found(request, Http404())
        return response


class Reporter(ExceptionReporter):
    """Shows failures; remembers refusals for the middleware below."""

    def get_traceback_html(self) -> SafeString:
        return SafeString() if self.is_refusal() else super().get_traceback_html()

    def get_traceback_text(self) -> SafeString:
        return SafeString() if self.is_refusal() else super().get_traceback_text()

    def is_refusal(self) -> bool:
        refused = isinstance(self.exc_value, REFUSALS)
        if refused:
            setattr(self.request, REFUSED, self.exc_value)
        return refused


class RefusalsInDebugMiddleware(DebugOnlyMiddleware):
    """Belongs first in the list: a wrong host and a form that is too large are refused by others
    there, and Django makes a page of that before anybody around sees what was raised."""

    def process_request(self, request: HttpRequest) -> None:
        request.exception_reporter_class = Reporter

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        exception = getattr(request, REFUSED, None)
        if exception is None or not isinstance(response, HttpResponse):
            return response
        if isinstance(exception, errors.OUTAGES):
            return errors.fill_in(response, errors.unavailable(request))
        return errors.fill_in(response, errors.bad_request(request, exception))
