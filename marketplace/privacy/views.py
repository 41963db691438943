from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from accounts import holding
from accounts.models import User
from marketplace.in_session import in_session
from marketplace.privacy import conf, files, selectors, tasks
from marketplace.privacy.forms import EraseForm
from marketplace.privacy.models import DataExport
from marketplace.privacy.refusals import Refused
from marketplace.privacy.responses import PrivateFileResponse
from marketplace.privacy.services.erasure import request_erasure
from marketplace.privacy.services.export import request_export
from messaging.http import wants_json

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
form_methods = require_http_methods(["GET", "HEAD", "POST"])


def for_the_owner(*, allow_get: bool = False) -> Callable[[View[P]], View[P]]:
    """Signed in, and who has just shown that it is really them (with `allow_get`: to change
    something); kept by no cache."""

    def decorate(view: View[P]) -> View[P]:
        confirmed = reauthentication_required(allow_get=allow_get)(view)
        kept_by_nobody = cache_control(private=True, no_store=True)
        return wraps(view)(kept_by_nobody(login_required(confirmed)))

    return decorate


@form_methods
@for_the_owner(allow_get=True)
def export(request: HttpRequest) -> HttpResponse:
    """Ask for a copy of one's data, see how far it is, fetch it."""
    user = cast(User, request.user)
    if request.method == "POST":
        return ask_for_export(request, user)
    latest = selectors.latest_export(user=user)
    if wants_json(request):
        return JsonResponse(describe(latest))
    context = {"export": latest, "kept_days": conf.retain_exports().days, **describe(latest)}
    return render(request, "privacy/export.html", context)


def ask_for_export(request: HttpRequest, user: User) -> HttpResponse:
    try:
        with in_session(request):
            asked = request_export(user=user)
    except Refused as refusal:
        messages.error(request, str(refusal.sentence))
    else:
        tasks.wake_on_commit(tasks.export_data, str(asked.pk))
    return redirect("privacy:export")


def describe(export: DataExport | None) -> dict[str, Any]:
    """What a page that waits needs to know."""
    if export is None:
        return {"state": "", "percent": 0, "download_url": ""}
    can_be_fetched = export.can_be_fetched(timezone.now())
    state = DataExport.State.EXPIRED if export.ready_at and not can_be_fetched else export.state
    url = reverse("privacy:download", args=[export.pk]) if can_be_fetched else ""
    return {"state": str(state), "percent": export.percent, "download_url": url}


@require_safe
@for_the_owner()
def download(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """The file: to its signed-in owner, who has just shown that it is really them."""
    found = selectors.access_file(user=cast(User, request.user), export_id=export_id)
    name = f"trato-{found.requested_at:%Y-%m-%d}.zip"
    return PrivateFileResponse(files.path_of(found.file_name), file_name=name)


@form_methods
@for_the_owner(allow_get=True)
def erase(request: HttpRequest) -> HttpResponse:
    """Say what goes and what stays; then close the account and have it erased."""
    user = cast(User, request.user)
    form = EraseForm(request.POST or None, user=user)
    refused: Refused | None = None
    if request.method == "POST" and form.is_valid():
        try:
            with holding.in_session(request) as person:
                asked = request_erasure(user=person)
        except Refused as refusal:
            refused = refusal
        else:
            tasks.wake_on_commit(tasks.erase_account, asked.pk)
            logout(request)
            return redirect("privacy:erased")
    context = {"form": form, "refused": refused, "blanks_texts": conf.blanks_texts()}
    status = 400 if request.method == "POST" else 200
    return render(request, "privacy/erase.html", context, status=status)


@require_safe
def erased(request: HttpRequest) -> HttpResponse:
    """The last page. It says nothing about anybody, so anybody may see it."""
    return render(request, "privacy/erased.html")
