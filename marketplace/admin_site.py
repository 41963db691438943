"""The staff's pages: whatever is posted to them is committed before the session ends, or not at
all."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.holding import SAFE_METHODS, in_session

View = Callable[..., HttpResponseBase]


class HeldAdminSite(AdminSite):
    """Every page of every model comes through `admin_view`, and so do those that apps add."""

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Around the question whether somebody may: it is asked of who they are by then."""
        return held_in_session(super().admin_view(view, cacheable))


def held_in_session(view: View) -> View:
    @wraps(view)
    def held(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        if request.method in SAFE_METHODS or not request.user.is_authenticated:
            return view(request, *args, **options)
        with in_session(request) as person:
            request.user = person
            return view(request, *args, **options)

    return held
