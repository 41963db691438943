"""Bugs of what is stored and acknowledged, and of what is read back."""

import dataclasses
import uuid
from typing import Any

from django.db import OperationalError, transaction
from msgspec.structs import replace as changed

from tests.faults.planted import bug, replace, replace_method, sometimes


def _is_receipt(outcome: Any) -> bool:
    return hasattr(outcome, "duplicate") and not outcome.duplicate


@bug("acknowledges a message and stores nothing", "I1")
def ack_nothing() -> None:
    from messaging.services.drafts import Receipt
    from messaging.services.record import record

    def wrap(original: Any) -> Any:
        def planted(drafts: Any, **more: Any) -> Any:
            some = drafts[:-1] if sometimes(0.05) and len(drafts) > 1 else drafts
            recorded = original(some, **more)
            if len(recorded.outcomes) == len(drafts):
                return recorded
            last = recorded.outcomes[-1]
            if not isinstance(last, Receipt):
                recorded.outcomes.append(original(drafts[-1:], **more).outcomes[0])
                return recorded
            forged = changed(last, sequence=last.sequence + 1, revision=last.revision + 1)
            recorded.outcomes.append(forged)
            return recorded

        return planted

    replace(record, wrap)


@bug("acknowledges before the commit, which fails", "I1")
def ack_before_commit() -> None:
    from messaging.services.record import record

    def wrap(original: Any) -> Any:
        def planted(drafts: Any, **more: Any) -> Any:
            with transaction.atomic():
                recorded = original(drafts, **more)
                if sometimes(0.02) and all(_is_receipt(each) for each in recorded.outcomes):
                    transaction.set_rollback(True)
            return recorded

        return planted

    replace(record, wrap)


@bug("stores a retry once more, under another id", "I2", nemesis=14)
def store_retries_again() -> None:
    from messaging.services.record import _Batch, record

    def find_nothing(self: Any) -> None:
        """Every retry looks like a new message."""

    def wrap(original: Any) -> Any:
        def planted(drafts: Any, **more: Any) -> Any:
            from messaging.models import Message

            keys = {draft.client_message_id for draft in drafts}
            known = set(
                Message.objects.filter(client_message_id__in=keys).values_list(
                    "client_message_id", flat=True
                )
            )
            return original(
                [
                    changed(draft, client_message_id=uuid.uuid4())
                    if draft.client_message_id in known
                    else draft
                    for draft in drafts
                ],
                **more,
            )

        return planted

    replace_method(_Batch, "_find_retries", lambda original: find_nothing)
    replace(record, wrap)


@bug("stores a message twice at once", "I2")
def store_twice() -> None:
    from messaging.services.record import record

    def wrap(original: Any) -> Any:
        def planted(drafts: Any, **more: Any) -> Any:
            if not sometimes(0.03):
                return original(drafts, **more)
            twin = changed(drafts[-1], client_message_id=uuid.uuid4())
            recorded = original([*drafts, twin], **more)
            del recorded.outcomes[-1]
            return recorded

        return planted

    replace(record, wrap)


@bug("stores what comes at once in the opposite order", "I3")
def store_in_opposite_order() -> None:
    from messaging.services.record import record

    def wrap(original: Any) -> Any:
        def planted(drafts: Any, **more: Any) -> Any:
            recorded = original(list(reversed(drafts)), **more)
            recorded.outcomes.reverse()
            return recorded

        return planted

    replace(record, wrap)


@bug("skips a sequence", "I3")
def skip_a_sequence() -> None:
    from messaging.services.record import _Batch

    def wrap(original: Any) -> Any:
        def planted(self: Any, index: int, draft: Any, place: Any) -> None:
            if sometimes(0.02):
                self._conversations[draft.conversation_id.int].last_sequence += 1
            original(self, index, draft, place)

        return planted

    replace_method(_Batch, "_number", wrap)


@bug("skips a revision", "I3")
def skip_a_revision() -> None:
    from messaging.services.record import _Batch

    def wrap(original: Any) -> Any:
        def planted(self: Any, index: int, draft: Any, place: Any) -> None:
            if sometimes(0.02):
                self._conversations[draft.conversation_id.int].revision += 1
            original(self, index, draft, place)

        return planted

    replace_method(_Batch, "_number", wrap)


@bug("stores another text than was sent", "I1", "I2")
def store_another_text() -> None:
    from messaging.services.record import record

    def wrap(original: Any) -> Any:
        def planted(drafts: Any, **more: Any) -> Any:
            return original(
                [
                    changed(draft, body=draft.body[:-1]) if sometimes(0.05) else draft
                    for draft in drafts
                ],
                **more,
            )

        return planted

    replace(record, wrap)


@bug("loses an acknowledged edit or deletion", "I1", often=("edit", "delete"))
def lose_a_change() -> None:
    from messaging.services import changes

    def wrap(original: Any) -> Any:
        def planted(*arguments: Any) -> Any:
            with transaction.atomic():
                receipt = original(*arguments)
                if sometimes(0.3):
                    transaction.set_rollback(True)
            return receipt

        return planted

    replace(changes._change, wrap)


@bug("serves the text of a deleted message from a cache", "I4", "I5", often=("delete", "pull"))
def serve_deleted_texts() -> None:
    from messaging.selectors.messages import to_record

    bodies: dict[int, str] = {}

    def wrap(original: Any) -> Any:
        def planted(message: Any, members: Any) -> Any:
            record = original(message, members)
            if record.body:
                bodies[record.id] = record.body
            elif record.id in bodies:
                return changed(record, body=bodies[record.id])
            return record

        return planted

    replace(to_record, wrap)


@bug("leaves the newest out of a page of changes", "I4", "I5", often=("pull",))
def leave_out_the_newest() -> None:
    from messaging.selectors.messages import changes_after

    def wrap(original: Any) -> Any:
        def planted(*arguments: Any, **more: Any) -> Any:
            changes = original(*arguments, **more)
            return (
                dataclasses.replace(changes, messages=changes.messages[:-1])
                if sometimes(0.3)
                else changes
            )

        return planted

    replace(changes_after, wrap)


@bug("counts one unread too many", "I6")
def count_too_many() -> None:
    from messaging.services.inbox_rows import touch_inbox_row

    def wrap(original: Any) -> Any:
        def planted(member: Any, **about: Any) -> None:
            original(member, **about)
            if sometimes(0.05):
                member.unread_count += 1

        return planted

    replace(touch_inbox_row, wrap)


@bug("moves a read position back", "I6", often=("read",))
def move_back() -> None:
    from messaging.services.reading import mark_read

    def wrap(original: Any) -> Any:
        def planted(**about: Any) -> int:
            from messaging.models import Participant

            position: int = original(**about)
            mine = {"user_id": about["user_id"], "conversation_id": about["conversation_id"]}
            if sometimes(0.5):
                Participant.objects.filter(**mine).update(read_sequence=max(0, position - 3))
            return position

        return planted

    replace(mark_read, wrap)


@bug("needs Redis to send", "I14", nemesis=4)
def need_redis() -> None:
    import redis
    from django.conf import settings

    from messaging.services.record import record

    def wrap(original: Any) -> Any:
        client = redis.Redis.from_url(
            settings.CELERY_BROKER_URL, socket_timeout=0.5, socket_connect_timeout=0.5
        )

        def planted(drafts: Any, **more: Any) -> Any:
            try:
                client.ping()
            except redis.RedisError as error:
                raise OperationalError(str(error)) from error
            return original(drafts, **more)

        return planted

    replace(record, wrap)
