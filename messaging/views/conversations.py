"""The inbox, the seller's dashboard and the thread."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST, require_safe

from messaging import fields, rate_limits
from messaging.events import message_frame_for
from messaging.http import (
    access_of,
    answer_json,
    messaging_view,
    read_fields,
    session_stamp,
    wants_json,
)
from messaging.models import Role
from messaging.selectors.conversations import (
    Access,
    count_unread_conversations,
    count_waiting_conversations,
)
from messaging.selectors.inbox import InboxPage, page_conversations, read_filters
from messaging.selectors.thread import ThreadPage, read_thread
from messaging.services.reading import mark_read
from messaging.views.thread_page import render_thread


@require_safe
@messaging_view
def conversations(request: HttpRequest) -> HttpResponse:
    """A person's inbox."""
    filters = read_filters(request.GET)
    page = page_conversations(
        user=request.user, filters=filters, cursor=request.GET.get("cursor", "")
    )
    if wants_json(request):
        return _answer_rows(page)
    tabs = _tabs(
        reverse("messaging:conversations"),
        filters,
        [
            ("", pgettext("conversations", "All"), None),
            ("unread", _("Unread"), count_unread_conversations(request.user)),
            ("starred", _("Starred"), None),
            ("archived", _("Archived"), None),
        ],
    )
    return render(
        request, "messaging/conversations.html", _list_context(request, page, filters, tabs)
    )


@require_safe
@messaging_view
def seller(request: HttpRequest) -> HttpResponse:
    """The selling side by work: who waits for an answer comes first."""
    state = request.GET.get("state") or "needs_reply"
    shown = {**request.GET.dict(), "role": Role.SELLER.value}
    filters = read_filters({**shown, "state": "" if state == "all" else state})
    page = page_conversations(
        user=request.user, filters=filters, cursor=request.GET.get("cursor", "")
    )
    if wants_json(request):
        return _answer_rows(page)
    waiting = count_waiting_conversations(request.user)
    tabs = _tabs(
        reverse("messaging:seller"),
        {**filters, "role": "", "state": filters["state"] or "all"},
        [
            ("needs_reply", _("Needs reply"), waiting),
            ("unread", _("Unread"), None),
            ("all", pgettext("conversations", "All"), None),
            ("starred", _("Starred"), None),
            ("archived", _("Archived"), None),
        ],
    )
    context = _list_context(request, page, filters, tabs)
    return render(request, "messaging/seller.html", {**context, "figures": {"waiting": waiting}})


def _answer_rows(page: InboxPage) -> HttpResponse:
    return answer_json({"results": [row.as_dict() for row in page.rows], "next": page.next_cursor})


def _tabs(
    path: str, filters: dict[str, str], states: list[tuple[str, str, int | None]]
) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "url": _url(path, {**filters, "state": state, "q": ""}),
            "current": filters["state"] == state,
            "count": count,
        }
        for state, label, count in states
    ]


def _url(path: str, query: dict[str, str]) -> str:
    given = {key: value for key, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def _list_context(
    request: HttpRequest, page: InboxPage, filters: dict[str, str], tabs: list[dict[str, Any]]
) -> dict[str, Any]:
    query = {**request.GET.dict(), "cursor": page.next_cursor or ""}
    return {
        "rows": page.rows,
        "next_url": _url(request.path, query) if page.next_cursor else "",
        "filters": filters,
        "tabs": tabs,
    }


@require_safe
@messaging_view
def conversation(request: HttpRequest, conversation_id: str) -> HttpResponse:
    """The thread. Changes nothing, read positions included."""
    access = access_of(request, conversation_id)
    before = fields.read_number(request.GET, "before")
    thread = read_thread(access, before=before)
    if wants_json(request):
        return _answer_thread(access, thread)
    return render_thread(request, access, thread)


def _answer_thread(access: Access, thread: ThreadPage) -> HttpResponse:
    return answer_json(
        {
            "conversation": str(access.conversation.pk),
            "listing": thread.card.as_dict(),
            "role": access.me.role,
            "read_sequence": access.me.read_sequence,
            "revision": thread.revision,
            "last_sequence": thread.last_sequence,
            "results": [message_frame_for(record, access.me.user_id) for record in thread.records],
            "next": thread.older_before,
        }
    )


@require_POST
@messaging_view
def read(request: HttpRequest, conversation_id: str) -> HttpResponse:
    """Move the read position forward."""
    conversation = access_of(request, conversation_id).conversation
    sequence = fields.require_number(read_fields(request), "sequence")
    rate_limits.take_mark(request.user.pk)
    position = mark_read(
        user_id=request.user.pk,
        conversation_id=conversation.pk,
        sequence=sequence,
        session=session_stamp(request),
    )
    if wants_json(request):
        return answer_json({"conversation": str(conversation.pk), "sequence": position})
    response = redirect(conversation)
    response.status_code = 303
    return response
