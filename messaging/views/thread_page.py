"""The page of a thread, for reading and for a reply that failed."""

from dataclasses import replace
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from messaging.exceptions import MessagingError
from messaging.identifiers import uuid7
from messaging.models import Role
from messaging.selectors.conversations import Access
from messaging.selectors.inbox import page_conversations
from messaging.selectors.thread import ThreadPage

LEFT_PANE_FILTERS = {"role": "", "listing": "", "state": "", "q": ""}


def render_thread(
    request: HttpRequest,
    access: Access,
    thread: ThreadPage,
    *,
    error: MessagingError | None = None,
    draft: str = "",
    client_message_id: str = "",
) -> HttpResponse:
    """The page of a thread, with what went wrong and the text it went wrong with."""
    filters = {**LEFT_PANE_FILTERS, "role": access.me.role}
    path = "messaging:seller" if access.me.role == Role.SELLER else "messaging:conversations"
    older = f"?{urlencode({'before': thread.older_before})}" if thread.older_before else ""
    thread = replace(
        thread,
        older_url=older,
        rows=page_conversations(user=request.user, filters=filters).rows,
        rows_url=reverse(path),
        error=str(error.sentence) if error else "",
        draft=draft,
        client_message_id=client_message_id or str(uuid7()),
    )
    status = error.status if error else 200
    return render(request, "messaging/conversation.html", {"thread": thread}, status=status)
