"""What staff see: every notification with its trail in words. Nothing to add or to change."""

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.db.models.query import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from notifications import trail
from notifications.admin_pages import BoundedPaginator, ReadOnly, find_people
from notifications.models import Delivery, Notification

if TYPE_CHECKING:
    DeliveryInlineBase = admin.TabularInline[Delivery, Notification]
    NotificationAdminBase = admin.ModelAdmin[Notification]
else:  # Django's classes take no types when they run.
    DeliveryInlineBase = admin.TabularInline
    NotificationAdminBase = admin.ModelAdmin


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
    search_fields = ("key", "title")  # See get_search_results.
    search_help_text = _("The id of a conversation, a person, or the beginning of a title.")
    ordering: ClassVar = ["-id"]
    inlines: ClassVar = [DeliveryInline]
    paginator = BoundedPaginator
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        rows = super().get_queryset(request)
        return rows.select_related("recipient").prefetch_related("deliveries")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Notification], search_term: str
    ) -> tuple[QuerySet[Notification], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        people = find_people(request, self.admin_site, text)
        found = Q(key=text) | Q(title__istartswith=text) | Q(recipient__in=people)
        return queryset.filter(found), False

    @admin.display(description=_("Delivery"))
    def state(self, notification: Notification) -> str:
        return ", ".join(str(delivery) for delivery in notification.deliveries.all())
