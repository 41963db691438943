"""Sessions that may have ended: every process is told to look, and closes what has no right to go
on."""

from collections.abc import Iterable

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from messaging.events import UserId, session_event
from messaging.publisher import publish


def check_sessions(*, user_ids: Iterable[UserId]) -> None:
    """Have the sockets of these people checked, everywhere and after the commit: within about a
    second those whose session, password or account is no longer valid are closed (4501).

    Django's own ways of ending a session call this (`messaging.receivers`). Call it after what
    sends no signal, such as `queryset.update(is_active=False)`.
    """
    events = [session_event(user_id=user_id) for user_id in user_ids]
    transaction.on_commit(lambda: publish(events), robust=True)


def delete_expired(*, limit: int = 1000) -> int:
    """Delete so many sessions that have expired, oldest first; how many went.

    What `clearsessions` does in one statement for as long as nobody listens to the ends of
    sessions. `messaging.receivers` does, so that it would read every row and send a signal for it;
    but the sockets of an expired session were closed when it expired.
    """
    expired = Session.objects.filter(expire_date__lt=timezone.now())
    keys = list(expired.order_by("expire_date").values_list("pk", flat=True)[:limit])
    rows = Session.objects.filter(pk__in=keys, expire_date__lt=timezone.now())
    return rows._raw_delete(rows.db) or 0  # The one way without signals; nothing refers to them.
