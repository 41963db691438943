"""Editing and deleting one's own messages. Without scripts each has a page of its own."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from messaging import fields
from messaging.events import message_frame_for
from messaging.exceptions import MessagingError, NotFound, Unauthenticated
from messaging.http import (
    access_of,
    add_retry_after,
    answer_json,
    answer_refusal,
    messaging_view,
    read_fields,
    see_other,
    session_stamp,
    typed_text,
    wants_json,
)
from messaging.policies import check_can_delete, check_can_edit
from messaging.selectors.conversations import Access
from messaging.selectors.messages import OwnMessage, read_own_message
from messaging.services.changes import ChangeReceipt, delete_message, edit_message
from messaging.text import normalise_body


@require_http_methods(["GET", "HEAD", "POST"])
@messaging_view
def edit(request: HttpRequest, conversation_id: str, sequence: str) -> HttpResponse:
    """POST gives a message another text: 200, or 303 to the thread. GET shows the form for it."""
    access = access_of(request, conversation_id)
    number = _parse_sequence(sequence)
    if request.method != "POST":
        return _show(request, access, number, "edit")
    given: fields.Fields = {}
    try:
        given = read_fields(request)
        receipt = edit_message(
            user_id=request.user.pk,
            conversation_id=access.conversation.pk,
            sequence=number,
            body=normalise_body(given.get("message")),
            session=session_stamp(request),
        )
    except MessagingError as error:
        if wants_json(request) or isinstance(error, NotFound | Unauthenticated):
            return answer_refusal(request, error)
        return _show_again(request, access, number, typed_text(given), error)
    return _answer(request, access, receipt)


@require_http_methods(["GET", "HEAD", "POST"])
@messaging_view
def delete(request: HttpRequest, conversation_id: str, sequence: str) -> HttpResponse:
    """POST takes a message back: 200, or 303 to the thread. GET asks whether they mean it."""
    access = access_of(request, conversation_id)
    number = _parse_sequence(sequence)
    if request.method != "POST":
        return _show(request, access, number, "delete")
    receipt = delete_message(
        user_id=request.user.pk,
        conversation_id=access.conversation.pk,
        sequence=number,
        session=session_stamp(request),
    )
    return _answer(request, access, receipt)


CHECKS = {"edit": check_can_edit, "delete": check_can_delete}


def _parse_sequence(text: str) -> int:
    """A number in a path is a name: one that is none is nothing's."""
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) >= 2**63:
        raise NotFound()
    return int(text)


def _answer(request: HttpRequest, access: Access, receipt: ChangeReceipt) -> HttpResponse:
    if wants_json(request):
        return answer_json({"conversation": str(receipt.conversation_id), **receipt.as_dict()})
    return see_other(access.conversation.get_absolute_url())


def _show(request: HttpRequest, access: Access, sequence: int, name: str) -> HttpResponse:
    """The page, or as JSON the message; a refusal when it is too late for it."""
    found = read_own_message(access, sequence)
    CHECKS[name](message=found.message, participant=access.me, now=timezone.now())
    if wants_json(request):
        return answer_json(message_frame_for(found.record, access.me.user_id))
    context = _context(access, sequence, found, draft=found.record.body)
    return render(request, f"messaging/{name}.html", context)


def _show_again(
    request: HttpRequest, access: Access, sequence: int, draft: str, error: MessagingError
) -> HttpResponse:
    """The form with what was typed into it and what was wrong."""
    found = read_own_message(access, sequence)
    context = _context(access, sequence, found, draft=draft, error=str(error.sentence))
    response = render(request, "messaging/edit.html", context, status=error.status)
    return add_retry_after(response, error)


def _context(
    access: Access, sequence: int, found: OwnMessage, *, draft: str, error: str = ""
) -> dict[str, Any]:
    where = [access.conversation.pk, sequence]
    return {
        "message": {
            "sequence": sequence,
            "body": found.record.body,
            "edit_url": reverse("messaging:edit", args=where),
            "delete_url": reverse("messaging:delete", args=where),
        },
        "conversation": access.conversation,
        "back_url": access.conversation.get_absolute_url(),
        "draft": draft,
        "error": error,
    }
