"""Reads: what is due, and what a person has not seen."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from notifications.models import Delivery, Notification
from notifications.sources import Span


def open_deliveries() -> QuerySet[Delivery]:
    """Neither sent nor given up."""
    return Delivery.objects.filter(state__in=Delivery.OPEN_STATES)


def due_deliveries(*, now: datetime) -> QuerySet[Delivery]:
    """Deliveries that a worker should take now, longest due first."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    return Delivery.objects.filter(free, state__in=Delivery.OPEN_STATES, due_at__lte=now).order_by(
        "due_at", "id"
    )


def count_handed_over(*, now: datetime) -> int:
    """Deliveries that a worker has, or has been told to take."""
    return Delivery.objects.filter(
        state__in=Delivery.OPEN_STATES, due_at__lte=now, claimed_until__gt=now
    ).count()


def visible_notifications(*, recipient_id: Any) -> QuerySet[Notification]:
    """A person's notifications, newest first; cancelled ones are nobody's business any more."""
    return Notification.objects.filter(
        recipient_id=recipient_id, cancelled_at__isnull=True
    ).order_by("-created_at", "-id")


def count_unseen(*, recipient_id: Any) -> int:
    return visible_notifications(recipient_id=recipient_id).filter(seen_at__isnull=True).count()


def find_latest_ids(*, source: str, spans: Collection[Span]) -> list[int]:
    """Of the last burst that each of these people had about each of these things, cancelled ones
    included; and perhaps of some who had one about what is another's here."""
    about = Notification.objects.filter(
        source=source,
        recipient_id__in={span.recipient_id for span in spans},
        key__in={span.key for span in spans},
    )
    newer = Notification.objects.filter(
        recipient_id=OuterRef("recipient_id"),
        source=OuterRef("source"),
        key=OuterRef("key"),
        first_sequence__gt=OuterRef("first_sequence"),
    )
    return list(about.filter(~Exists(newer)).values_list("pk", flat=True))


def first_title(notification: Notification) -> str:
    """The title of the first burst about the same thing: the subject must never change."""
    about = Notification.objects.filter(
        recipient_id=notification.recipient_id, source=notification.source, key=notification.key
    ).exclude(title="")
    first = about.order_by("first_sequence").values_list("title", flat=True).first()
    return first or notification.title
