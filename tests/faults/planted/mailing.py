"""Bugs of when mails leave: long after they were due, and long after nobody wanted them."""

import time
from dataclasses import replace as changed
from datetime import timedelta
from typing import Any

from tests.faults.planted import bug, replace, replace_method
from tests.faults.planted.forgetting import look_at_the_muted

# Longer than a mail may be late (mail_times.py).
WAITS = 150.0
LATE = timedelta(minutes=10)
FORGOTTEN_AFTER = 6.0


@bug("looks ten minutes late at whether three people in five are owed a mail", "I8", waits=WAITS)
def mail_late() -> None:
    from messaging.services.inbox_rows import _schedule_look

    def wrap(original: Any) -> Any:
        def planted(member: Any, now: Any) -> None:
            original(member, now + LATE if member.user_id % 5 < 3 else now)

        return planted

    replace(_schedule_look, wrap)


@bug("mails what was muted long ago, while workers die", "I7", often=("mark",), nemesis=3, waits=15)
def mail_what_was_muted() -> None:
    """To whoever is there too. Every worker forgets it as soon as the others."""
    from django.core.cache import cache

    from messaging.notification_source import MessagingSource
    from messaging.services.inbox_rows import touch_inbox_row

    def look(original: Any) -> Any:
        def planted(self: Any, spans: Any) -> Any:
            return list(map(forget, spans, original(self, spans)))

        return planted

    def forget(span: Any, owed: Any) -> Any:
        if owed.state != "muted":
            return owed
        name = f"muted {span.recipient_id} {span.key}"
        since = float(cache.get_or_set(name, time.time(), None) or 0)
        is_forgotten = time.time() > since + FORGOTTEN_AFTER
        return changed(owed, state="owed", connected=False) if is_forgotten else owed

    replace(touch_inbox_row, look_at_the_muted)
    replace_method(MessagingSource, "look", look)
