"""What staff see: who has asked about their data, and how far it is. Nothing to change."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from marketplace.privacy.models import DataExport, Erasure

if TYPE_CHECKING:
    DataExportAdminBase = admin.ModelAdmin[DataExport]
    ErasureAdminBase = admin.ModelAdmin[Erasure]
else:  # Django's classes take no types when they run.
    DataExportAdminBase = ErasureAdminBase = admin.ModelAdmin


class ReadOnly:
    """These rows are work: they are written by services only. Whoever may
    delete a person may delete their exports; the files follow within a day."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(DataExport)
class DataExportAdmin(ReadOnly, DataExportAdminBase):
    list_display = ("requested_at", "user", "state", "attempts", "ready_at", "mailed_at")
    list_filter = ("state",)
    list_select_related = ("user",)
    exclude = ("file_name",)
    ordering = ("-requested_at",)


@admin.register(Erasure)
class ErasureAdmin(ReadOnly, ErasureAdminBase):
    list_display = ("requested_at", "user_key", "attempts", "finished_at")
    list_filter = ("blank_texts",)
    exclude = ("files",)
    ordering = ("-requested_at",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
