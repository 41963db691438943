"""What staff see: every notification with its trail in words. Nothing to add or to change."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.db.models.query import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications import trail
from notifications.models import Delivery, Notification

if TYPE_CHECKING:
    DeliveryInlineBase = admin.TabularInline[Delivery, Notification]
    NotificationAdminBase = admin.ModelAdmin[Notification]
else:  # Django's classes take no types when they run.
    DeliveryInlineBase = admin.TabularInline
    NotificationAdminBase = admin.ModelAdmin


class ReadOnly:
    """These rows are a record: they are written by services only.

    Who may delete them is for the permissions to say, because they go when their person goes.
    """

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DeliveryInline(ReadOnly, DeliveryInlineBase):
    model = Delivery
    can_delete = False
    fields = ("channel", "state", "due_at", "attempts", "sent_at", "message_id", "decisions")
    readonly_fields = ("decisions",)

    @admin.display(description=_("What was decided"))
    def decisions(self, delivery: Delivery) -> SafeString:
        entries = ((trail.describe(entry),) for entry in delivery.trail)
        return format_html_join("", "<div>{}</div>", entries)


@admin.register(Notification)
class NotificationAdmin(ReadOnly, NotificationAdminBase):
    list_display = ("created_at", "recipient", "kind", "title", "state", "seen_at")
    list_display_links = ("created_at", "title")
    list_filter = ("kind", "deliveries__state", "created_at")
    search_fields = ("=key", "title")
    search_help_text = _("The id of a conversation, or words of a title.")
    date_hierarchy = "created_at"
    ordering: ClassVar = ["-created_at"]
    inlines: ClassVar = [DeliveryInline]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        rows = super().get_queryset(request)
        return rows.select_related("recipient").prefetch_related("deliveries")

    @admin.display(description=_("Delivery"))
    def state(self, notification: Notification) -> str:
        return ", ".join(str(delivery) for delivery in notification.deliveries.all())
