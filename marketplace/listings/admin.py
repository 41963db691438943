from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from marketplace.listings.models import Listing, Photo


class PhotoInline(admin.TabularInline):  # type: ignore[type-arg]
    """For looking only: a photo is made by the intake, not by hand."""

    model = Photo
    fields = readonly_fields = ("position", "large", "width", "height")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Listing)
class ListingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("title", "seller", "price_label", "state", "created_at")
    list_filter = ("state",)
    list_select_related = ("seller",)
    search_fields = ("title", "slug")
    readonly_fields = ("slug", "created_at", "updated_at")
    raw_id_fields = ("seller",)
    inlines = (PhotoInline,)
