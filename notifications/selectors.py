"""Reads: what is due, and what a person has not seen."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from notifications.models import Delivery, Notification


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


def latest_notification(*, recipient_id: Any, source: str, key: str) -> Notification | None:
    """The last burst a person had about something, cancelled ones included."""
    about = Notification.objects.filter(recipient_id=recipient_id, source=source, key=key)
    return about.order_by("-first_sequence").first()


def first_title(notification: Notification) -> str:
    """The title of the first burst about the same thing: the subject must never change."""
    about = Notification.objects.filter(
        recipient_id=notification.recipient_id, source=notification.source, key=notification.key
    ).exclude(title="")
    first = about.order_by("first_sequence").values_list("title", flat=True).first()
    return first or notification.title
