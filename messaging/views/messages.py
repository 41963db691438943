"""Messages over HTTP: sending one, and reading what one has missed."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from messaging import fields
from messaging.events import Frame, change_type, message_frame_for, public_id
from messaging.exceptions import Conflict, MessagingError, NotFound, Unauthenticated
from messaging.http import (
    access_of,
    add_retry_after,
    answer_json,
    answer_refusal,
    id_for_trying_again,
    messaging_view,
    read_fields,
    see_other,
    session_stamp,
    typed_text,
    wants_json,
)
from messaging.people import display_name, shown_name
from messaging.selectors.conversations import Access, access_conversation, has_left
from messaging.selectors.messages import HISTORY_PAGE, before, changes_after, newest
from messaging.selectors.thread import read_thread
from messaging.services.drafts import Receipt
from messaging.services.messages import send_message
from messaging.text import normalise_body
from messaging.views.thread_page import render_thread


@require_POST
@messaging_view
def new_message(request: HttpRequest, conversation_id: str) -> HttpResponse:
    """Send a message: 201 stored now, 200 stored before, 409 stored with another body."""
    identifier, is_gone = _find_own_place(request, conversation_id)
    given: fields.Fields = {}
    try:
        given = read_fields(request)
        receipt = _send(request, identifier, given)
    except MessagingError as error:
        if is_gone and not isinstance(error, Conflict):
            raise NotFound() from None
        return _answer_failure(request, identifier, given, error)
    if wants_json(request):
        return answer_receipt(receipt)
    if is_gone:  # Answered, and without a thread to look at any more.
        return see_other(reverse("messaging:conversations"))
    return see_other(reverse("messaging:conversation", args=[identifier]))


def _find_own_place(request: HttpRequest, conversation_id: str) -> tuple[UUID, bool]:
    """The conversation, and whether they have left it: a retry of what is stored is answered to
    them, too. For everybody else it is as if nothing was, and nothing of it is locked to find out.
    Raises NotFound."""
    identifier = fields.parse_uuid(conversation_id)
    if identifier is None:
        raise NotFound()
    return identifier, has_left(request.user.pk, identifier)


def _send(request: HttpRequest, conversation_id: UUID, given: fields.Fields) -> Receipt:
    """Whether they may is asked where it is stored. Raises its refusal."""
    return send_message(
        user_id=request.user.pk,
        name=display_name(request.user),
        conversation_id=conversation_id,
        body=normalise_body(given.get("message")),
        client_message_id=fields.read_client_message_id(given),
        read_sequence=fields.read_number(given, "read"),
        session=session_stamp(request),
    )


def _answer_failure(
    request: HttpRequest, conversation_id: UUID, given: fields.Fields, error: MessagingError
) -> HttpResponse:
    """On a page: the thread again, with what was wrong and the text still in the composer."""
    if wants_json(request) or isinstance(error, NotFound | Unauthenticated):
        return answer_refusal(request, error)
    try:
        access = access_conversation(user=request.user, conversation_id=conversation_id)
    except NotFound:
        return answer_refusal(request, error)
    response = render_thread(
        request,
        access,
        read_thread(access),
        error=error,
        draft=typed_text(given),
        client_message_id=id_for_trying_again(given, error),
    )
    return add_retry_after(response, error)


def answer_receipt(receipt: Receipt) -> HttpResponse:
    body = {"conversation": str(receipt.conversation_id), **receipt.as_dict()}
    return answer_json(body, 200 if receipt.duplicate else 201)


@require_safe
@messaging_view
def messages(request: HttpRequest, conversation_id: str) -> HttpResponse:
    """`?after=<revision>`: changes since then, oldest first. `?before=<sequence>`: older ones."""
    access = access_of(request, conversation_id)
    after = fields.read_number(request.GET, "after")
    if after is not None:
        return _answer_changes(access, after)
    sequence = fields.read_number(request.GET, "before")
    key = access.conversation.pk
    records = newest(key) if sequence is None else before(key, sequence)
    more = len(records) == HISTORY_PAGE and records[0].sequence > 1
    results = [message_frame_for(record, access.me.user_id) for record in records]
    return answer_json({"results": results, "next": records[0].sequence if more else None})


def _answer_changes(access: Access, after: int) -> HttpResponse:
    changes = changes_after(access.conversation.pk, after)
    results = [
        message_frame_for(record, access.me.user_id, type=change_type(record, after))
        for record in changes.messages
    ]
    return answer_json(
        {
            "results": results,
            "next": changes.cursor if changes.more else None,
            "user": public_id(access.me.user_id),
            "participants": _participants(access),
        }
    )


def _participants(access: Access) -> list[Frame]:
    """As `ready` has them, but for who is here: that is told over sockets alone."""
    return [
        {
            "id": public_id(member.user_id),
            "username": shown_name(member),
            "role": member.role,
            "read_sequence": member.read_sequence,
        }
        for member in access.members
        if member.left_at is None
    ]
