"""Asking from a listing's page: opens the conversation, or continues it.

Signed out, the text waits in the session and is sent once after signing in or up, when the visitor
comes back here by GET. That GET only does what a POST of the same session has asked for, and the
client's id of the message keeps it from being sent twice.
"""

import copy
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.urls import resolve, reverse
from django.views.decorators.http import require_http_methods

from messaging import fields
from messaging.exceptions import MessagingError, Unauthenticated
from messaging.http import (
    add_retry_after,
    id_for_trying_again,
    read_fields,
    refusing,
    session_stamp,
    typed_text,
    wants_json,
)
from messaging.listings import access_listing
from messaging.policies import check_can_ask
from messaging.questions import Question, forget_question, keep_question, read_question
from messaging.services.conversations import start_conversation
from messaging.services.drafts import Receipt
from messaging.text import normalise_body
from messaging.views.messages import answer_receipt


@require_http_methods(["GET", "POST"])
@refusing
def start(request: HttpRequest, listing: str) -> HttpResponseBase:
    found = access_listing(listing)
    if request.method == "GET":
        return _send_waiting(request, found, listing)
    if wants_json(request):
        return _start_for_json(request, found)
    return _start(request, found, listing, read_fields(request))


def _start_for_json(request: HttpRequest, listing: Any) -> HttpResponse:
    if not request.user.is_authenticated:
        raise Unauthenticated()
    given = read_fields(request)
    return answer_receipt(_store(request, listing, given))


def _store(request: HttpRequest, listing: Any, given: fields.Fields) -> Receipt:
    return start_conversation(
        listing=listing,
        buyer=request.user,
        body=normalise_body(given.get("message")),
        client_message_id=fields.read_client_message_id(given),
        session=session_stamp(request),
    )


def _start(request: HttpRequest, listing: Any, slug: str, given: fields.Fields) -> HttpResponseBase:
    try:
        if not request.user.is_authenticated:
            return _wait_for_sign_in(request, listing, slug, given)
        receipt = _store(request, listing, given)
    except MessagingError as error:
        return _show_listing_with(request, listing, slug, given, error)
    forget_question(request.session, slug)
    return _see_other(reverse("messaging:conversation", args=[receipt.conversation_id]))


def _wait_for_sign_in(
    request: HttpRequest, listing: Any, slug: str, given: fields.Fields
) -> HttpResponse:
    """Keep the text. What could not be sent anyway is refused right here, before signing in."""
    kept = Question(
        listing=slug,
        message=normalise_body(given.get("message")),
        client_message_id=str(fields.read_client_message_id(given)),
        waits_for_sign_in=True,
    )
    check_can_ask(listing=listing, user=request.user)
    keep_question(request.session, kept)
    query = urlencode({"next": request.path})
    return _see_other(f"{resolve_url(settings.LOGIN_URL)}?{query}")


def _send_waiting(request: HttpRequest, listing: Any, slug: str) -> HttpResponseBase:
    question = read_question(request.session, slug)
    if question is None or not question.waits_for_sign_in or not request.user.is_authenticated:
        return redirect(listing.get_absolute_url())
    given = {"message": question.message, "client_message_id": question.client_message_id}
    return _start(request, listing, slug, given)


def _show_listing_with(
    request: HttpRequest, listing: Any, slug: str, given: fields.Fields, error: MessagingError
) -> HttpResponseBase:
    """The listing's own page again, with the text in its box and what was wrong beside it."""
    question = Question(
        listing=slug,
        message=typed_text(given),
        client_message_id=id_for_trying_again(given, error),
        error=str(error.sentence),
    )
    keep_question(request.session, question)
    page = copy.copy(request)
    page.method = "GET"
    view, args, kwargs = resolve(listing.get_absolute_url())
    response = view(page, *args, **kwargs)
    response.status_code = error.status
    return add_retry_after(response, error)


def _see_other(url: str) -> HttpResponse:
    response = redirect(url)
    response.status_code = 303
    return response
