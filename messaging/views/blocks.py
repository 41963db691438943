"""Blocking somebody, taking it back, and the list of whom one has blocked."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from messaging import fields
from messaging.events import public_id
from messaging.http import (
    answer_json,
    messaging_view,
    read_fields,
    see_next,
    session_stamp,
    wants_json,
)
from messaging.models import Block
from messaging.people import display_name
from messaging.selectors.blocks import block_as_dict, page_blocked, parse_user_id
from messaging.services.blocks import block_person, unblock_person


@require_POST
@messaging_view
def block(request: HttpRequest, user_id: str) -> HttpResponse:
    """`on`: 1 or 0. Whom one has no conversation with cannot be blocked and looks like nobody."""
    other_id = parse_user_id(user_id)
    given = read_fields(request)
    on = fields.require_flag(given, "on")
    change = block_person if on else unblock_person
    change(user_id=request.user.pk, other_id=other_id, session=session_stamp(request))
    if wants_json(request):
        return answer_json({"user": public_id(other_id), "blocked": on})
    return see_next(given, otherwise=reverse("messaging:blocked"))


@require_safe
@messaging_view
def blocked(request: HttpRequest) -> HttpResponse:
    """Whom this person has blocked, latest first; older ones by `before`."""
    rows, older = page_blocked(request.user, before=fields.read_number(request.GET, "before"))
    if wants_json(request):
        return answer_json({"results": [block_as_dict(row) for row in rows], "next": older})
    context = {
        "people": [_person(row) for row in rows],
        "next_url": f"{request.path}?before={older}" if older else "",
    }
    return render(request, "messaging/blocked.html", context)


def _person(row: Block) -> dict[str, Any]:
    return {
        "id": public_id(row.blocked_id),
        "name": display_name(row.blocked),
        "blocked_at": row.created_at,
        "block_url": reverse("messaging:block", args=[row.blocked_id]),
    }
