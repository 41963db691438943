"""Everything this app keeps of one person, as plain records for a file of theirs."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from notifications.models import Delivery, Notification

Record = dict[str, Any]
PAGE = 500


def export_person(*, user: Any) -> Mapping[str, Iterable[Record]]:
    """Records by the name of their file, read page by page while they are iterated."""
    return {"notifications": _notifications(user)}


def count_records(*, user: Any) -> int:
    return Notification.objects.filter(recipient=user).count()


def _notifications(user: Any) -> Iterator[Record]:
    after = 0
    rows = Notification.objects.filter(recipient=user).prefetch_related("deliveries")
    while page := list(rows.filter(pk__gt=after).order_by("pk")[:PAGE]):
        for notification in page:
            yield _notification(notification)
        after = page[-1].pk


def _notification(notification: Notification) -> Record:
    return {
        "kind": notification.kind,
        "title": notification.title,
        "url": notification.url,
        "first_sequence": notification.first_sequence,
        "last_sequence": notification.last_sequence,
        "created_at": _iso(notification.created_at),
        "seen_at": _iso(notification.seen_at),
        "cancelled_at": _iso(notification.cancelled_at),
        "deliveries": [_delivery(delivery) for delivery in notification.deliveries.all()],
    }


def _delivery(delivery: Delivery) -> Record:
    return {
        "channel": delivery.channel,
        "state": delivery.state,
        "due_at": _iso(delivery.due_at),
        "sent_at": _iso(delivery.sent_at),
        "attempts": delivery.attempts,
        "trail": delivery.trail,
    }


def _iso(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
