import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shopfront.settings")
application = get_asgi_application()

# trato
from channels.routing import ProtocolTypeRouter  # noqa: E402

from messaging.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter({"http": application, "websocket": websocket_application})
# end
