"""Archiving, starring and muting a conversation, each of them a person's own affair."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from messaging import fields, rate_limits
from messaging.events import place_frame
from messaging.http import (
    access_of,
    answer_json,
    messaging_view,
    read_fields,
    see_next,
    session_stamp,
    wants_json,
)
from messaging.models import Participant
from messaging.services.flags import archive_conversation, mute_conversation, star_conversation


@require_POST
@messaging_view
def archive(request: HttpRequest, conversation_id: str) -> HttpResponse:
    return _mark(request, conversation_id, archive_conversation)


@require_POST
@messaging_view
def star(request: HttpRequest, conversation_id: str) -> HttpResponse:
    return _mark(request, conversation_id, star_conversation)


@require_POST
@messaging_view
def mute(request: HttpRequest, conversation_id: str) -> HttpResponse:
    return _mark(request, conversation_id, mute_conversation)


def _mark(
    request: HttpRequest, conversation_id: str, mark: Callable[..., Participant]
) -> HttpResponse:
    """`on`: 1 or 0. JSON: all three marks as they are now; a form leads back where it was."""
    conversation = access_of(request, conversation_id).conversation
    given = read_fields(request)
    on = fields.require_flag(given, "on")
    rate_limits.take_mark(request.user.pk)
    place = mark(
        user_id=request.user.pk,
        conversation_id=conversation.pk,
        on=on,
        session=session_stamp(request),
    )
    if wants_json(request):
        frame = place_frame(place)
        return answer_json({key: value for key, value in frame.items() if key != "type"})
    return see_next(given, otherwise=conversation.get_absolute_url())
