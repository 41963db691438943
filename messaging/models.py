"""Conversations, who takes part in them, and what was said.

Numbers that must never have gaps (`sequence`, `revision`) and everything denormalised here are
written by `services/record.py` and its neighbours under the conversation's row lock, nowhere else.
"""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.conf import listing_model
from messaging.identifiers import uuid7


class Role(models.TextChoices):
    """A side of a conversation. A person is the seller of their own listings, a buyer elsewhere."""

    BUYER = "buyer", _("Buyer")
    SELLER = "seller", _("Seller")


class Conversation(models.Model):
    """What one buyer and one seller say about one listing. Never empty.

    `listing`, `buyer` and `seller` may vanish; the title stays here and the names stay with the
    participants, so that nobody loses a thread because somebody else left.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # `listing` and `buyer` need no index of their own: the constraint and the index below have one.
    listing = models.ForeignKey(
        listing_model(),
        null=True,
        on_delete=models.SET_NULL,
        related_name="conversations",
        db_index=False,
    )
    listing_title = models.CharField(max_length=200)
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Of everybody who takes or took part, each with a line's end: searches look them up here
    # (`services/names.py`). Empty where a process of an older release has opened it.
    names = models.TextField(blank=True, default="", db_default="")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    last_sequence = models.PositiveBigIntegerField(default=0)
    revision = models.PositiveBigIntegerField(default=0)
    last_message_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["listing", "buyer"], name="one_conversation_per_buyer"),
        ]
        indexes: ClassVar = [
            # How many conversations has this buyer opened lately?
            models.Index(fields=["buyer", "created_at"], name="conversation_opened"),
            # Staff look for the few that are closed. Ids sort by when they were made.
            models.Index(fields=["id"], condition=Q(state="closed"), name="conversation_closed"),
            # Hardly any: a search looks into each.
            models.Index(fields=["id"], condition=Q(names=""), name="conversation_unnamed"),
        ]

    def __str__(self) -> str:
        return self.listing_title

    def get_absolute_url(self) -> str:
        return reverse("messaging:conversation", args=[self.pk])


class Participant(models.Model):
    """A person's place in a conversation, with everything their inbox shows about it."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="participants", db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="participations",
        db_index=False,
    )
    role = models.CharField(max_length=6, choices=Role.choices)
    # As it was when they last wrote: a deleted account leaves its name with the other side.
    name = models.CharField(max_length=100)
    joined_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True, blank=True)
    removed = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Taken out by somebody else: does not come back by asking again."),
    )

    read_sequence = models.PositiveBigIntegerField(default=0)
    unread_count = models.PositiveIntegerField(default=0)
    waiting_since = models.DateTimeField(
        null=True, help_text=_("When the other side's first unanswered message came.")
    )
    archived = models.BooleanField(default=False)
    starred = models.BooleanField(default=False)
    muted = models.BooleanField(default=False)
    last_activity_at = models.DateTimeField(default=timezone.now)
    changes = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text=_("Goes up with whatever changes in this line of the inbox."),
    )

    notify_at = models.DateTimeField(
        null=True, help_text=_("When to look whether this person is owed a notification.")
    )
    notified_sequence = models.PositiveBigIntegerField(
        default=0, help_text=_("Up to where it has been looked at: the next burst begins after it.")
    )
    notify_by = models.DateTimeField(
        null=True, help_text=_("The latest moment for that, however long the burst goes on.")
    )

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "user"], name="one_place_per_person"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-last_activity_at", "-id"], name="inbox"),
            models.Index(fields=["user"], condition=Q(unread_count__gt=0), name="inbox_unread"),
            models.Index(
                fields=["user", "waiting_since", "id"],
                condition=Q(waiting_since__isnull=False),
                name="inbox_waiting",
            ),
            models.Index(
                fields=["notify_at"], condition=Q(notify_at__isnull=False), name="notify_due"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_left(self) -> bool:
        return self.left_at is not None


class Message(models.Model):
    """One thing said, or one thing that happened to the listing (`kind` system, no sender)."""

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        SYSTEM = "system", _("System")

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    sequence = models.PositiveBigIntegerField()
    created_revision = models.PositiveBigIntegerField()
    revision = models.PositiveBigIntegerField(help_text=_("Of the latest change."))
    # The participant and not the person: the side and the name stay when an account goes.
    sender = models.ForeignKey(
        Participant, null=True, on_delete=models.SET_NULL, related_name="messages", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.TEXT)
    body = models.TextField()
    client_message_id = models.UUIDField(null=True)
    # Kept from the first edit or deletion on, so that a late retry of the original is still
    # recognised as one, and another body under its id still as a conflict.
    original_digest = models.BinaryField(max_length=16, null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["conversation", "sequence"], name="one_message_per_sequence"
            ),
            # A participant belongs to one conversation, so this is unique per conversation and
            # sender, with a narrower index.
            models.UniqueConstraint(
                fields=["sender", "client_message_id"], name="one_message_per_client_id"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["conversation", "revision"], name="message_changes"),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} #{self.sequence}"


class Block(models.Model):
    """One person blocks another: neither writes to the other, existing threads stay readable."""

    blocker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="blocks", db_index=False
    )
    blocked = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="blocked_by"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["blocker", "blocked"], name="one_block_per_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.blocker_id} → {self.blocked_id}"


class ConversationLook(models.Model):
    """Somebody of the staff read what was said. Written before it is shown and never changed; it
    outlives the conversation, the account and the name."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.DO_NOTHING, db_constraint=False, related_name="looks"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = models.CharField(max_length=100)
    first_sequence = models.PositiveBigIntegerField()
    last_sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("look into a conversation")
        verbose_name_plural = _("looks into conversations")

    def __str__(self) -> str:
        return f"{self.name}: {self.conversation_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("A look is written once and never changed.")
        super().save(*args, **kwargs)
