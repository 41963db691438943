"""What chat needs at least when it is to be kept."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class Conversation(models.Model):
    name = models.CharField(max_length=40, unique=True)
    last_sequence = models.PositiveBigIntegerField(default=0)

    objects: ClassVar["models.Manager[Conversation]"] = models.Manager()

    class Meta:
        app_label = "contenders"

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    sequence = models.PositiveBigIntegerField()
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar["models.Manager[Message]"] = models.Manager()

    class Meta:
        app_label = "contenders"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation", "sequence"], name="one_per_sequence"),
        ]

    def __str__(self) -> str:
        return f"{self.conversation} #{self.sequence}"
