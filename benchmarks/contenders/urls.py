"""A plain view that keeps a message: one row, through the ORM."""

import json

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from benchmarks.contenders.models import Message


@require_POST
def new_message(request: HttpRequest, conversation: int) -> JsonResponse:
    if not request.user.is_authenticated:
        return JsonResponse({"code": "unauthenticated"}, status=401)
    message = Message.objects.create(
        conversation_id=conversation,
        sequence=request.user.pk * 10**12 + int(request.headers["X-Number"]),
        sender=request.user,
        body=json.loads(request.body)["message"],
    )
    return JsonResponse({"id": message.pk}, status=201)


urlpatterns = [path("conversation/<int:conversation>/new_message/", new_message)]
