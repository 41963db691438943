"""Pages and sockets of one marketplace."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
_pages = get_asgi_application()

# After Django is set up: these import models.
from channels.routing import ProtocolTypeRouter  # noqa: E402

from marketplace.kept_threads import KeptThreads  # noqa: E402
from messaging.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter({"http": KeptThreads(_pages), "websocket": websocket_application})
