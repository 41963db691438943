"""The socket paths. Everything else is refused as a stranger is."""

from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from messaging.consumers import InboxConsumer, RoomConsumer
from messaging.handshake import has_allowed_origin
from messaging.record_log import note_refused_handshake


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """HTTP 403 during the handshake, whatever the reason."""
    note_refused_handshake(scope)
    await receive()
    await send({"type": "websocket.close"})


_refusal: Any = refuse  # Django's types know of no other views than HTTP's.

websocket_urlpatterns = [
    path("ws/room/<str:conversation_id>/", RoomConsumer.as_asgi()),
    path("ws/inbox/", InboxConsumer.as_asgi()),
    re_path(r"", _refusal),
]

_router = URLRouter(websocket_urlpatterns)


async def websocket_application(scope: Any, receive: Any, send: Any) -> None:
    """What a host mounts under `websocket`."""
    application = _router if has_allowed_origin(scope) else refuse
    await application(scope, receive, send)
