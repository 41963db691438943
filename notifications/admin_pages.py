"""What the staff's pages of both apps share: nothing to change, and no query that grows with the
table."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.utils.functional import cached_property

MOST_ROWS = 10_000
MOST_PEOPLE = 200


class ReadOnly:
    """These rows are a record: they are written by services only.

    Who may delete them is for the permissions to say, because they go when their person goes.
    """

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts and shows the first 10,000 rows: what is older is found by searching. A full count of
    a million rows would cost more than everything else on the page."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_ROWS].count())


def find_people(request: HttpRequest, site: admin.AdminSite, text: str) -> Sequence[Any]:
    """Keys of the people that the host's own admin finds by this text, 200 at most."""
    people = get_user_model()
    page = site.get_model_admin(people) if site.is_registered(people) else None
    if page is None or not page.get_search_fields(request):
        return []
    found, _ = page.get_search_results(request, people._default_manager.all(), text)
    return list(found.order_by().values_list("pk", flat=True)[:MOST_PEOPLE])
