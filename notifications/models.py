"""Who was told what, through what, and why or why not.

These rows are the work itself: a delivery that is due is found again whatever happens to the
broker, the worker or the mail server.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Notification(models.Model):
    """One burst of news about one thing for one person, however many channels carry it.

    `key` names what it is about within its `source`; there is no foreign key, so any app can be a
    source. The span of sequences grows while the burst has not been told. A cancelled one is kept
    for its trail and shown in no bell.
    """

    class Kind(models.TextChoices):
        NEW_MESSAGE = "new_message", _("New message")

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notifications",
        db_index=False,
    )
    kind = models.CharField(max_length=40, choices=Kind.choices)
    source = models.CharField(max_length=40)
    key = models.CharField(max_length=100)
    url = models.CharField(max_length=500, blank=True)
    title = models.CharField(max_length=200, blank=True)
    first_sequence = models.PositiveBigIntegerField()
    last_sequence = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["recipient", "source", "key", "first_sequence"],
                name="one_notification_per_burst",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["recipient", "-created_at", "-id"],
                condition=Q(cancelled_at__isnull=True),
                name="notification_list",
            ),
            models.Index(
                fields=["recipient"],
                condition=Q(seen_at__isnull=True, cancelled_at__isnull=True),
                name="notification_unseen",
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.source} {self.key}"


class Delivery(models.Model):
    """One notification through one channel, with the trail of every decision about it.

    Pending → claimed → sent, cancelled or failed, or back to pending for later. Whoever claims it
    has it until `claimed_until` and may write to it only while that value is still theirs.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        CLAIMED = "claimed", _("Being sent")
        SENT = "sent", _("Sent")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")

    OPEN_STATES = (State.PENDING, State.CLAIMED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.EMAIL)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    due_at = models.DateTimeField()
    first_due_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("Until then a worker has it, or has been told to take it."),
    )
    attempts = models.PositiveIntegerField(
        default=0, help_text=_("Since it was last put off for another reason than a failure.")
    )
    first_tried_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(
        max_length=255,
        blank=True,
        help_text=_("The same at every attempt, so that a repeat is recognised."),
    )
    trail = models.JSONField(default=list, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["notification", "channel"], name="one_delivery_per_channel"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["pending", "claimed"]),
                name="delivery_due",
            ),
            # For who looks after the installation (figures.py).
            models.Index(fields=["sent_at"], condition=Q(state="sent"), name="delivery_sent"),
            models.Index(fields=["due_at"], condition=Q(state="failed"), name="delivery_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_state_display()}"


class LastRun(models.Model):
    """When a task of the beat's schedule last began: how others see that beat and worker live."""

    SWEEP = "create_notifications"

    name = models.CharField(primary_key=True, max_length=100)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("last run")
        verbose_name_plural = _("last runs")

    def __str__(self) -> str:
        return self.name
