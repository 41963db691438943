"""Notifications that are kept no longer."""

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from notifications.models import Delivery, Notification
from notifications.services.erasure import delete_in_batches


def delete_old(*, before: datetime, batches: int) -> int:
    """Those made before a moment, with their trails, unless something is still to be sent."""
    return delete_in_batches(_old(before), batches=batches)


def count_old(*, before: datetime) -> int:
    return _old(before).count()


def _old(before: datetime) -> QuerySet[Notification]:
    undecided = Delivery.objects.filter(notification=OuterRef("pk"), state__in=Delivery.OPEN_STATES)
    return Notification.objects.filter(~Exists(undecided), created_at__lt=before)
