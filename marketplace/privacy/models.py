"""What people have asked about their own data. Each row is the work itself: whatever is open is
found again, whatever becomes of the broker or of the worker that had it."""

from datetime import datetime
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DataExport(models.Model):
    """A copy of one's own data: asked for, made by a worker, fetched, removed.

    Whoever makes it has it until `claimed_until` and may write to it only while that is theirs.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        WORKING = "working", _("Being made")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Removed")

    OPEN_STATES: ClassVar[tuple[State, ...]] = (State.WAITING, State.WORKING)

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="data_exports"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    requested_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    records_done = models.PositiveBigIntegerField(default=0)
    records_total = models.PositiveBigIntegerField(default=0)
    # Random, and known to nobody outside: the download goes by the id and the signed-in person.
    file_name = models.CharField(max_length=80, blank=True)
    file_size = models.PositiveBigIntegerField(default=0, help_text=_("In bytes."))
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("copy of somebody's data")
        verbose_name_plural = _("copies of people's data")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(state__in=["waiting", "working"]),
                name="one_open_export_per_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requested_at:%Y-%m-%d %H:%M} {self.get_state_display()}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN_STATES

    @property
    def percent(self) -> int:
        """How much is done; it is all done only when it is ready."""
        if self.state == self.State.READY:
            return 100
        return min(99, self.records_done * 100 // max(self.records_total, 1))

    def can_be_fetched(self, now: datetime) -> bool:
        ready = self.state == self.State.READY and self.expires_at is not None
        return ready and bool(self.expires_at and self.expires_at > now)


class Erasure(models.Model):
    """Somebody's wish to be forgotten. It outlives the account and says nothing about the person
    but the number that the account had."""

    # No foreign key: the account goes and this row stays.
    user_key = models.CharField(max_length=64, unique=True)
    blank_texts = models.BooleanField(default=False)
    requested_at = models.DateTimeField(default=timezone.now)
    # A claim that lasts while nobody works is a pause before the next attempt.
    claimed_until = models.DateTimeField(null=True)
    is_working = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    # Files whose rows are gone and which are still to be removed from the disk.
    files = models.JSONField(default=list)
    counts = models.JSONField(default=dict, help_text=_("How many rows of each kind went."))
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")

    def __str__(self) -> str:
        return self.user_key
