"""The tutorial's application: sockets behind sessions and a check of the host they come from."""

import os
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.contenders.settings")
_pages = get_asgi_application()

# After Django is set up: one of them has a model.
from benchmarks.contenders import consumers  # noqa: E402

_CONSUMERS: dict[str, Any] = {
    "async": consumers.AsyncConsumer,
    "sync": consumers.SyncConsumer,
    "keeping": consumers.KeepingConsumer,
}
_consumer = _CONSUMERS[os.environ.get("CONTENDERS_CONSUMER", "async")]

application = ProtocolTypeRouter(
    {
        "http": _pages,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(
                URLRouter([re_path(r"ws/chat/(?P<room_name>\w+)/$", _consumer.as_asgi())])
            )
        ),
    }
)
