"""Sessions that may have ended: every process is told to look, and closes what has no right to go
on."""

from collections.abc import Iterable

from django.db import transaction

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
