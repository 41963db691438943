"""Pages and JSON. Views parse and answer; what happens is in services, what shows in selectors."""

from messaging.views.conversations import conversation, conversations, read, seller
from messaging.views.messages import messages, new_message
from messaging.views.start import start

__all__ = [
    "conversation",
    "conversations",
    "messages",
    "new_message",
    "read",
    "seller",
    "start",
]
