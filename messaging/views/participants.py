"""Leaving a conversation."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from messaging.http import access_of, answer_json, messaging_view, session_stamp, wants_json
from messaging.models import Role
from messaging.services.participants import leave_conversation


@require_http_methods(["GET", "HEAD", "POST"])
@messaging_view
def leave(request: HttpRequest, conversation_id: str) -> HttpResponse:
    """GET asks whether they mean it, POST does it and leads back to the list they had it in."""
    access = access_of(request, conversation_id)
    if request.method != "POST":
        return render(request, "messaging/leave.html", {"conversation": access.conversation})
    leave_conversation(
        user_id=request.user.pk,
        conversation_id=access.conversation.pk,
        session=session_stamp(request),
    )
    if wants_json(request):
        return answer_json({"conversation": str(access.conversation.pk), "left": True})
    seller = access.me.role == Role.SELLER
    response = redirect("messaging:seller" if seller else "messaging:conversations")
    response.status_code = 303
    return response
