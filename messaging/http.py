"""What the views share: which form an answer takes, where fields come from, and refusals."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import unquote_to_bytes

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import RequestDataTooBig
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from messaging import fields, metrics
from messaging.events import public_id
from messaging.exceptions import (
    Conflict,
    Invalid,
    MessagingError,
    NotFound,
    TooLong,
    Unauthenticated,
)
from messaging.fields import has_unstorable_text
from messaging.identifiers import uuid7
from messaging.selectors.conversations import Access, access_conversation
from messaging.sessions import SessionStamp
from notifications import failpoints

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def wants_json(request: HttpRequest) -> bool:
    """Only who names it gets it: `*/*` gets the page."""
    accept = request.headers.get("Accept", "")
    return any(part.partition(";")[0].strip() == "application/json" for part in accept.split(","))


def read_fields(request: HttpRequest) -> fields.Fields:
    """The body, form-encoded or JSON by its Content-Type. Raises InvalidJson, Invalid, TooLong."""
    try:
        if request.content_type == "application/json":
            return fields.parse_object(request.body)
        given = request.POST.dict()
    except RequestDataTooBig:
        raise TooLong() from None
    if request.content_type == "application/x-www-form-urlencoded" and not request.encoding:
        _check_is_text(request.body)
    return given


def _check_is_text(body: bytes) -> None:
    """Django reads what is no UTF-8 as question marks, and would have them stored."""
    try:
        unquote_to_bytes(body).decode()
    except UnicodeDecodeError:
        raise Invalid(_("This form is not in UTF-8.")) from None


def typed_text(given: fields.Fields) -> str:
    """The text of a message as it was given, to be shown again whatever was wrong with it."""
    value = given.get("message")
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def id_for_trying_again(given: fields.Fields, error: MessagingError | None = None) -> str:
    """The message's own id, so that it is stored once; another when that one is taken."""
    kept = fields.echo_client_message_id(given)
    return kept if kept and not isinstance(error, Conflict) else str(uuid7())


def session_stamp(request: HttpRequest) -> SessionStamp | None:
    """The session a write is made in, to be checked again when it is stored."""
    key = request.session.session_key
    return SessionStamp(key, request.session.get(HASH_SESSION_KEY, "")) if key else None


def answer_json(value: Any, status: int = 200) -> JsonResponse:
    response = JsonResponse(value, status=status, json_dumps_params={"ensure_ascii": False})
    patch_vary_headers(response, ["Accept", "Cookie"])
    return response


def answer_refusal(request: HttpRequest, error: MessagingError) -> HttpResponse:
    """A refusal as JSON, or as a page of its own."""
    if wants_json(request):
        return add_retry_after(answer_json(error.as_dict(), error.status), error)
    if isinstance(error, NotFound):
        raise Http404
    if isinstance(error, Unauthenticated):
        return redirect_to_login(_return_to(request))
    page = render(request, "messaging/refused.html", {"error": error}, status=error.status)
    return add_retry_after(page, error)


def add_retry_after(response: HttpResponse, error: MessagingError) -> HttpResponse:
    if "retry_after" in error.extra:
        response.headers["Retry-After"] = str(error.extra["retry_after"])
    return response


def see_other(url: str) -> HttpResponse:
    """After a form: this page instead, by GET."""
    return HttpResponseRedirect(url, status=303)


def see_next(given: fields.Fields, *, otherwise: str) -> HttpResponse:
    """Where the form says it came from, if that is a page of ours."""
    url = given.get("next")
    own = (
        isinstance(url, str)
        and url.startswith("/")
        and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
        and not has_unstorable_text(url)
    )
    return see_other(str(url) if own else otherwise)


def messaging_view(view: View[P]) -> View[P]:
    """For the signed in only; refusals become answers, and nothing is kept by caches."""

    def wrapped(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            raise Unauthenticated()
        _check_expected_person(request)
        return view(request, *args, **kwargs)

    return refusing(cast("View[P]", update_wrapper(wrapped, view)))


def _check_expected_person(request: HttpRequest) -> None:
    """`X-For-User`: whose page asks. Somebody else may have signed in with its browser since, and
    must not say what they never wrote. Raises Unauthenticated."""
    expected = request.headers.get("X-For-User")
    if expected is not None and expected != str(public_id(request.user.pk)):
        raise Unauthenticated()


def refusing(view: View[P]) -> View[P]:
    """Refusals become answers."""

    def wrapped(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
            failpoints.reach("http.answering")
        except MessagingError as error:
            metrics.REFUSED.add(1, "page", error.code)
            response = answer_refusal(request, error)
        patch_vary_headers(response, ["Accept", "Cookie"])
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return cast("View[P]", update_wrapper(wrapped, view))


def access_of(request: HttpRequest, conversation_id: str) -> Access:
    """The conversation that a URL names, by its one door. Raises NotFound."""
    identifier = fields.parse_uuid(conversation_id)
    if identifier is None:
        raise NotFound()
    return access_conversation(user=request.user, conversation_id=identifier)


def _return_to(request: HttpRequest) -> str:
    """Where to go after signing in: a page, never the target of a form."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    match = request.resolver_match
    conversation_id = match.kwargs.get("conversation_id") if match else None
    return reverse("messaging:conversation", args=[conversation_id]) if conversation_id else "/"
