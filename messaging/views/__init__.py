"""Pages and JSON. Views parse and answer; what happens is in services, what shows in selectors."""

from messaging.views.blocks import block, blocked
from messaging.views.changes import delete, edit
from messaging.views.conversations import conversation, conversations, read, seller
from messaging.views.flags import archive, mute, star
from messaging.views.messages import messages, new_message
from messaging.views.participants import leave
from messaging.views.start import start

__all__ = [
    "archive",
    "block",
    "blocked",
    "conversation",
    "conversations",
    "delete",
    "edit",
    "leave",
    "messages",
    "mute",
    "new_message",
    "read",
    "seller",
    "star",
    "start",
]
