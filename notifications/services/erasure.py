"""Notifications of somebody, or about something, that is gone: with their deliveries and trails."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from notifications.models import Notification

BATCH = 500


def erase_person(*, user: Any) -> dict[str, int]:
    """Nothing of theirs is told any more: a mail that is due goes with its row.

    Every batch is its own transaction, and a repeat finds what is left.
    """
    return {"notifications": delete_in_batches(Notification.objects.filter(recipient=user))}


def forget_subjects(*, source: str, keys: Sequence[str]) -> int:
    """What was told about things that exist no longer, whoever was told."""
    if not keys:
        return 0
    return delete_in_batches(Notification.objects.filter(source=source, key__in=keys))


def delete_in_batches(rows: QuerySet[Notification], *, batches: int | None = None) -> int:
    """How many went; at most `batches` of them."""
    gone = done = 0
    while batches is None or done < batches:
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        Notification.objects.filter(pk__in=keys).delete()
        gone, done = gone + len(keys), done + 1
        if len(keys) < BATCH:
            break
    return gone
