"""What the state of the deliveries is, in numbers. Each is one range of an index."""

from datetime import datetime, timedelta

from django.db.models import Avg, Count, ExpressionWrapper, F, Max, Min
from django.db.models.fields import DurationField
from django.utils import timezone

from notifications.models import Delivery, LastRun
from notifications.selectors import open_deliveries

RECENT = timedelta(minutes=10)
FAILED_WITHIN = timedelta(days=1)

HELP = {
    "notifications_deliveries_due": "Deliveries that are due and not sent yet.",
    "notifications_oldest_due_seconds": "How long the longest due delivery has been due.",
    "notifications_deliveries_waiting": "Deliveries that are not due yet.",
    "notifications_deliveries_failed": "Deliveries given up within the last day.",
    "notifications_mail_sent": "Mails sent within the last ten minutes.",
    "notifications_mail_lateness_seconds": "From due to sent, mean of the last ten minutes.",
    "notifications_mail_lateness_max_seconds": "From due to sent, longest of the last ten minutes.",
    "notifications_sweep_age_seconds": "Since the beat's task has last run.",
}


def read_figures(now: datetime | None = None) -> dict[str, float]:
    """Five queries. What there is nothing to say about is left out."""
    now = now or timezone.now()
    figures = {**_open(now), **_sent(now), "notifications_deliveries_failed": _failed(now)}
    last = LastRun.objects.filter(name=LastRun.SWEEP).values_list("at", flat=True).first()
    if last is not None:
        figures["notifications_sweep_age_seconds"] = _seconds(now - last)
    return figures


def _open(now: datetime) -> dict[str, float]:
    found = open_deliveries().aggregate(all=Count("pk"), oldest=Min("due_at"))
    due = open_deliveries().filter(due_at__lte=now).count()
    late = _seconds(now - found["oldest"]) if due else 0.0
    return {
        "notifications_deliveries_due": due,
        "notifications_oldest_due_seconds": late,
        "notifications_deliveries_waiting": found["all"] - due,
    }


def _sent(now: datetime) -> dict[str, float]:
    lateness = ExpressionWrapper(F("sent_at") - F("due_at"), output_field=DurationField())
    found = Delivery.objects.filter(state=Delivery.State.SENT, sent_at__gt=now - RECENT).aggregate(
        count=Count("pk"), mean=Avg(lateness), longest=Max(lateness)
    )
    return {
        "notifications_mail_sent": found["count"],
        "notifications_mail_lateness_seconds": _seconds(found["mean"]),
        "notifications_mail_lateness_max_seconds": _seconds(found["longest"]),
    }


def _failed(now: datetime) -> float:
    return Delivery.objects.filter(
        state=Delivery.State.FAILED, due_at__gt=now - FAILED_WITHIN
    ).count()


def _seconds(duration: timedelta | None) -> float:
    return max(0.0, duration.total_seconds()) if duration is not None else 0.0
