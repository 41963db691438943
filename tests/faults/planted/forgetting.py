"""Bugs of what is told late or dropped, and of what is undone afterwards."""

import asyncio
from typing import Any

from django.db import transaction

from tests.faults.planted import bug, replace, replace_method, sometimes

WAITS = 25.0


@bug("tells everything twelve seconds late, and heartbeats see nothing of it", "I4")
def deliver_late() -> None:
    from messaging.consumers import RoomConsumer
    from messaging.hub import Hub

    def wrap(original: Any) -> Any:
        def planted(self: Any, events: Any) -> None:
            asyncio.get_running_loop().call_later(12.0, original, self, list(events))

        return planted

    async def beat(self: Any, event: Any) -> None:
        if self.cursor is not None:
            told = {"conversation": str(self.conversation_id), "revision": self.cursor}
            await self.send_frame({"type": "heartbeat", **told})

    replace_method(Hub, "deliver", wrap)
    replace_method(RoomConsumer, "beat", lambda original: beat)


@bug("forgets that something was starred, archived or muted", "I1", often=("mark",))
def lose_a_mark() -> None:
    from messaging.services import flags

    def wrap(original: Any) -> Any:
        def planted(*arguments: Any, **marks: Any) -> Any:
            with transaction.atomic():
                place = original(*arguments, **marks)
                if sometimes(0.5):
                    transaction.set_rollback(True)
            return place

        return planted

    replace(flags._mark, wrap)


@bug("puts the text before it back after an edit", "I3", often=("edit",))
def take_an_edit_back() -> None:
    """Under a revision of its own."""
    from messaging.services import changes

    before: dict[int, str] = {}

    def wrap(original: Any) -> Any:
        def planted(held: Any, body: str) -> Any:
            earlier = before.get(held.message.pk)
            before[held.message.pk] = body
            receipt = original(held, body)
            if earlier and not receipt.duplicate and sometimes(0.7):
                changes._store(held, earlier)
            return receipt

        return planted

    replace(changes._edit, wrap)


@bug("closes every socket with an error while Redis is away", "I14", nemesis=4)
def close_without_redis() -> None:
    import redis
    from django.conf import settings

    from messaging.close_codes import CloseCode
    from messaging.connection import Connection

    client = redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_timeout=0.3, socket_connect_timeout=0.3
    )

    def wrap(original: Any) -> Any:
        def planted(self: Any, text: str) -> None:
            try:
                client.ping()
            except redis.RedisError:
                self.start(self.close(CloseCode.INTERNAL_ERROR))
                return
            original(self, text)

        return planted

    replace_method(Connection, "receive_frame", wrap)


# --- Mails --------------------------------------------------------------------------------------


def look_at_the_muted(touch: Any) -> Any:
    """Who has muted something is looked at like everybody else."""

    def planted(member: Any, **about: Any) -> None:
        was_muted, member.muted = member.muted, False
        touch(member, **about)
        member.muted = was_muted

    return planted


@bug("mails the muted and the blocked", "I7", often=("mark", "block"), waits=WAITS)
def mail_the_muted() -> None:
    from dataclasses import replace as changed

    from messaging.notification_source import MessagingSource
    from messaging.services.inbox_rows import touch_inbox_row

    def look(original: Any) -> Any:
        def planted(self: Any, spans: Any) -> Any:
            return [
                changed(owed, state="owed") if owed.state in ("muted", "blocked") else owed
                for owed in original(self, spans)
            ]

        return planted

    replace(touch_inbox_row, look_at_the_muted)
    replace_method(MessagingSource, "look", look)


@bug("drops three mails in ten as muted, which nobody muted", "I8", waits=WAITS)
def drop_as_muted() -> None:
    from notifications import policies

    def wrap(original: Any) -> Any:
        def planted(*arguments: Any, **more: Any) -> Any:
            decision = original(*arguments, **more)
            if decision.what == "send" and sometimes(0.3):
                return policies.Decision("cancel", "muted")
            return decision

        return planted

    replace(policies.decide, wrap)


@bug("gives mails up which the mail server did not refuse", "I8", waits=WAITS)
def give_mails_up() -> None:
    from notifications.transports import TransportError
    from notifications.transports.email import send

    def wrap(original: Any) -> Any:
        def planted(message: Any) -> None:
            if sometimes(0.4):
                raise TransportError(permanent=True)
            original(message)

        return planted

    replace(send, wrap)
