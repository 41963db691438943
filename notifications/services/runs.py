"""Leaves a sign that the schedule is alive."""

from django.utils import timezone

from notifications.models import LastRun


def note_run(name: str) -> None:
    """One row for each task, written anew in one statement: it survives every crash."""
    LastRun.objects.bulk_create(
        [LastRun(name=name, at=timezone.now())],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at"],
    )
