"""What staff see: conversations, what was said in them (each look is noted), blocks, the looks.

Everything is to be read; the few things to be done go through the services that check who may.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q
from django.db.models.query import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from messaging import admin_views, fields
from messaging.identifiers import first_uuid7
from messaging.models import Block, Conversation, ConversationLook, Participant
from messaging.people import shown_name
from messaging.selectors.staff import find_conversations
from messaging.services.staff import close_conversation, reopen_conversation
from notifications.admin_pages import BoundedPaginator, ReadOnly, find_people

if TYPE_CHECKING:
    ParticipantInlineBase = admin.TabularInline[Participant, Conversation]
    ConversationAdminBase = admin.ModelAdmin[Conversation]
    BlockAdminBase = admin.ModelAdmin[Block]
    LookAdminBase = admin.ModelAdmin[ConversationLook]
else:  # Django's classes take no types when they run.
    ParticipantInlineBase = admin.TabularInline
    ConversationAdminBase = BlockAdminBase = LookAdminBase = admin.ModelAdmin


class OpenedFilter(admin.SimpleListFilter):
    """By the id, which begins with the time it was made, so that the primary key finds it."""

    title = gettext_lazy("opened")
    parameter_name = "opened"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Past day")), ("7", _("Past 7 days")), ("30", _("Past 30 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("1", "7", "30"):
            return queryset
        since = timezone.now() - timedelta(days=int(self.value() or 0))
        return queryset.filter(pk__gte=first_uuid7(since))


class ParticipantInline(ReadOnly, ParticipantInlineBase):
    model = Participant
    can_delete = False
    extra = 0
    fields = readonly_fields = ("user", "name", "role", "joined_at", "left_at", "removed") + (
        "read_sequence",
        "unread_count",
        "archived",
        "muted",
        "notify_at",
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("messaging.view_conversation")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Participant]:
        return super().get_queryset(request).select_related("user").order_by("pk")


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, ConversationAdminBase):
    list_display = ("listing_title", "people", "state", "last_sequence", "last_message_at")
    list_filter = ("state", OpenedFilter)
    search_fields = ("listing_title",)  # See get_search_results.
    search_help_text = gettext_lazy(
        "The beginning of a listing’s title, a person, or the id of a conversation."
    )
    ordering: ClassVar = ["-id"]
    actions = ("close", "reopen")
    inlines: ClassVar = [ParticipantInline]
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    change_form_template = "messaging/admin/conversation.html"
    fields = readonly_fields = ("id", "listing_title", "state", "last_sequence", "revision") + (
        "created_at",
        "last_message_at",
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never by hand: the other side would lose its thread."""
        return False

    def has_close_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.change_conversation")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return super().get_queryset(request).prefetch_related("participants")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        identifier = fields.parse_uuid(text)
        if identifier is not None:
            return queryset.filter(pk=identifier), False
        people = find_people(request, self.admin_site, text)
        return queryset.filter(pk__in=find_conversations(title=text, user_ids=people)), False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path(
                "<uuid:key>/messages/",
                view(admin_views.messages_view(self)),
                name="messaging_conversation_messages",
            ),
            path(
                "<uuid:key>/participants/",
                view(admin_views.participants_view(self)),
                name="messaging_conversation_participants",
            ),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("People"))
    def people(self, conversation: Conversation) -> str:
        members = sorted(conversation.participants.all(), key=lambda member: member.pk)
        return ", ".join(shown_name(member) for member in members)

    @admin.action(permissions=["close"], description=gettext_lazy("Close the conversations"))
    def close(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> None:
        changed = [
            conversation
            for conversation in queryset.order_by("pk")  # As all lock who lock more than one.
            if close_conversation(conversation_id=conversation.pk, closed_by=request.user)
        ]
        self._report(request, changed, _("Closed."))

    @admin.action(permissions=["close"], description=gettext_lazy("Open them again"))
    def reopen(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> None:
        changed = [
            conversation
            for conversation in queryset.order_by("pk")
            if reopen_conversation(conversation_id=conversation.pk, opened_by=request.user)
        ]
        self._report(request, changed, _("Opened again."))

    def _report(self, request: HttpRequest, changed: list[Conversation], what: str) -> None:
        for conversation in changed:
            self.log_change(request, conversation, what)
        count = len(changed)
        text = ngettext("%(count)d conversation.", "%(count)d conversations.", count)
        self.message_user(request, f"{what} {text % {'count': count}}", messages.SUCCESS)


@admin.register(Block)
class BlockAdmin(ReadOnly, BlockAdminBase):
    list_display = ("created_at", "blocker", "blocked")
    list_select_related = ("blocker", "blocked")
    search_fields = ("blocker", "blocked")  # See get_search_results.
    search_help_text = gettext_lazy("A person on either side.")
    ordering: ClassVar = ["-id"]
    paginator = BoundedPaginator
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Block], search_term: str
    ) -> tuple[QuerySet[Block], bool]:
        if not search_term.strip():
            return queryset, False
        people = find_people(request, self.admin_site, search_term.strip())
        return queryset.filter(Q(blocker__in=people) | Q(blocked__in=people)), False


@admin.register(ConversationLook)
class LookAdmin(ReadOnly, LookAdminBase):
    """Nobody changes or deletes one."""

    list_display = ("at", "name", "which", "first_sequence", "last_sequence")
    fields = readonly_fields = ("at", "user", "name", "which", "first_sequence", "last_sequence")
    search_fields = ("name",)  # See get_search_results.
    search_help_text = gettext_lazy("The id of a conversation, or the beginning of a name.")
    ordering: ClassVar = ["-id"]
    paginator = BoundedPaginator
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ConversationLook], search_term: str
    ) -> tuple[QuerySet[ConversationLook], bool]:
        text = search_term.strip()
        identifier: UUID | None = fields.parse_uuid(text)
        if identifier is not None:
            return queryset.filter(conversation_id=identifier), False
        return (queryset.filter(name__istartswith=text) if text else queryset), False

    @admin.display(description=gettext_lazy("Conversation"))
    def which(self, look: ConversationLook) -> SafeString:
        """Not the conversation itself, which may be gone."""
        url = reverse("admin:messaging_conversation_change", args=[look.conversation_id])
        return format_html('<a href="{}">{}</a>', url, look.conversation_id)
