"""What every page shows of a person's messages."""

from django.http import HttpRequest

from messaging.selectors.conversations import count_unread_conversations


def unread(request: HttpRequest) -> dict[str, int]:
    """`unread_conversations`, one query by an index of its own."""
    user = getattr(request, "user", None)
    signed_in = user is not None and user.is_authenticated
    return {"unread_conversations": count_unread_conversations(user) if signed_in else 0}
