"""Bugs of who is told by notice and by mail."""

import uuid
from dataclasses import replace as changed
from datetime import timedelta
from typing import Any

from tests.faults.planted import bug, replace, replace_method, sometimes

SECONDS = 25.0


@bug("skips a notification", "I7", waits=SECONDS)
def skip_a_notification() -> None:
    from notifications.services.notify import notify

    def wrap(original: Any) -> Any:
        def planted(*, source: Any, dues: Any) -> Any:
            taken = [due for due in dues if not sometimes(0.4)]
            return dict.fromkeys(dues) | dict(original(source=source, dues=taken))

        return planted

    replace(notify, wrap)


@bug("notifies twice of one burst", "I7", waits=SECONDS)
def notify_twice() -> None:
    from notifications.services.notify import _Batch

    def wrap(original: Any) -> Any:
        def planted(self: Any, due: Any, *about: Any) -> None:
            *others, first_sequence = about
            original(self, due, *others, first_sequence)
            original(self, due, *others, max(0, first_sequence - 1))

        return planted

    replace_method(_Batch, "_create", wrap)


@bug("drops a notice as read which nobody read", "I7", waits=SECONDS)
def drop_as_read() -> None:
    from notifications import policies

    def wrap(original: Any) -> Any:
        def planted(*arguments: Any, **more: Any) -> Any:
            decision = original(*arguments, **more)
            if decision.what == "send" and sometimes(0.5):
                return policies.Decision("cancel", "read")
            return decision

        return planted

    replace(policies.decide, wrap)


@bug("mails twice with two Message-IDs", "I8", waits=SECONDS)
def mail_twice() -> None:
    from notifications.transports.email import send

    def wrap(original: Any) -> Any:
        def planted(message: Any) -> None:
            original(message)
            message.extra_headers["Message-ID"] = f"<{uuid.uuid4()}@localhost>"
            original(message)

        return planted

    replace(send, wrap)


@bug("says that it mailed and did not", "I8", waits=SECONDS)
def mail_nothing() -> None:
    from notifications.transports.email import send

    def wrap(original: Any) -> Any:
        def planted(message: Any) -> None:
            if not sometimes(0.5):
                original(message)

        return planted

    replace(send, wrap)


@bug("mails the same thing again and again", "I8", waits=SECONDS)
def mail_again() -> None:
    from notifications.transports.email import send

    def wrap(original: Any) -> Any:
        def planted(message: Any) -> None:
            original(message)
            original(message)

        return planted

    replace(send, wrap)


@bug("mails somebody else", "I8", "I11", waits=SECONDS)
def mail_somebody_else() -> None:
    from notifications.recipients import verified_address

    def wrap(original: Any) -> Any:
        def planted(user: Any) -> str:
            from accounts.models import User

            other = User.objects.exclude(pk=user.pk).order_by("?").first()
            return str(original(other if other is not None and sometimes(0.5) else user))

        return planted

    replace(verified_address, wrap)


@bug("mails what was read long before", "I9", often=("read",), waits=SECONDS)
def mail_what_was_read() -> None:
    """Everybody seems to be away, and everything unread, and mails leave late."""
    from messaging import notification_spans
    from messaging.notification_source import MessagingSource
    from notifications import policies

    def look(original: Any) -> Any:
        def planted(self: Any, spans: Any) -> Any:
            return [
                changed(owed, connected=False, state="owed" if owed.state == "read" else owed.state)
                for owed in original(self, spans)
            ]

        return planted

    def unread(place: Any, first_sequence: int) -> Any:
        from messaging.models import Message

        return Message.objects.filter(
            conversation_id=place.conversation_id, sequence__gte=first_sequence
        ).exclude(sender_id=place.pk)

    def late(original: Any) -> Any:
        def planted(owed: Any, *, now: Any, first_due_at: Any) -> Any:
            decision = original(owed, now=now, first_due_at=first_due_at)
            leaves_at = first_due_at + timedelta(seconds=15)
            if decision.what == "send" and now < leaves_at:
                return policies.Decision("defer", "connected", leaves_at)
            return decision

        return planted

    replace_method(MessagingSource, "look", look)
    replace(notification_spans.unread, lambda original: unread)
    replace(policies.decide, late)
