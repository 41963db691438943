import logging
from collections.abc import Callable
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language
from requests import RequestException

from accounts.deactivation import deactivate_person
from accounts.devices import describe_device, shorten_address
from accounts.forms import ProfileForm
from accounts.holding import in_session
from accounts.models import User
from accounts.sessions import end_session, end_sessions, list_sessions

View = Callable[..., HttpResponseBase]

logger = logging.getLogger(__name__)


@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Everything that a person can do with their account, one step away."""
    person = cast(User, request.user)
    kinds = list(Authenticator.objects.filter(user=person).values_list("type", flat=True))
    context = {
        "has_app": Authenticator.Type.TOTP in kinds,
        "passkey_count": kinds.count(Authenticator.Type.WEBAUTHN),
        "session_count": len(list_sessions(user=person)),
        "has_password": person.has_usable_password(),
        "has_providers": bool(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]),
    }
    return render(request, "accounts/overview.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, language and time zone of whoever is signed in."""
    # Read anew: a form writes into the object it checks, and the page shows the one in `request`.
    person = User.objects.get(pk=cast(User, request.user).pk)
    form = ProfileForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        with in_session(request):
            person.save(update_fields=form.changed_data)
        with translation.override(person.locale or translation.get_language()):
            messages.success(request, _("Your profile is saved."))
        return redirect("accounts:profile")
    status = 400 if form.is_bound and form.errors else 200
    return render(request, "accounts/profile.html", {"form": form}, status=status)


@require_POST
def choose_language(request: HttpRequest) -> HttpResponseBase:
    """Django's own view keeps the choice in a cookie; a person's account, which comes before the
    cookie, keeps it too."""
    code = request.POST.get("language", "")
    if request.user.is_authenticated and code in dict(settings.LANGUAGES):
        with in_session(request) as person:
            User.objects.filter(pk=person.pk).update(locale=code)
    return set_language(request)


@login_required
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """Where the person is signed in: the session that asks first, then the newest."""
    own = request.session.session_key
    rows = [_describe_session(each, own) for each in list_sessions(user=cast(User, request.user))]
    rows.sort(key=lambda row: not row["is_own"])
    return render(request, "accounts/sessions.html", {"sessions": rows})


def _describe_session(session: UserSession, own: str | None) -> dict[str, Any]:
    return {
        "id": session.pk,
        "device": describe_device(session.user_agent),
        "place": shorten_address(session.ip),
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "is_own": session.session_key == own,
    }


@login_required
@require_POST
def end_one_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """One's own may be among them: that is signing out."""
    with in_session(request) as person:
        if not end_session(user=person, session_id=session_id):
            raise Http404
    messages.success(request, _("That session is ended."))
    return redirect("accounts:sessions")


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    with in_session(request) as person:
        end_sessions(user=person, except_key=request.session.session_key)
    messages.success(request, _("You are signed out everywhere else."))
    return redirect("accounts:sessions")


@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
@require_http_methods(["GET", "HEAD", "POST"])
def deactivate(request: HttpRequest) -> HttpResponse:
    """Asks first. Says so by mail afterwards, with what to do if it was somebody else."""
    if request.method != "POST":
        return render(request, "accounts/deactivate.html")
    with in_session(request) as person:
        deactivate_person(user=person)
    get_adapter(request).send_notification_mail("account/email/deactivated", person)
    request.session.flush()
    return redirect("account_inactive")


def for_the_owner(view: View) -> View:
    """A view that decides over the account, for who has no password yet: allauth's own asks
    nothing of whoever has the session."""
    confirmed: View = reauthentication_required(view, enabled=lacks_password)
    return login_required(confirmed)


def lacks_password(request: HttpRequest) -> bool:
    return not cast(User, request.user).has_usable_password()


@login_required
@require_safe
def sign_in_again(request: HttpRequest) -> HttpResponse:
    """For who has neither a password nor a second factor, and so nothing to type once more."""
    connected = SocialAccount.objects.filter(user=cast(User, request.user))
    known = {
        app["provider_id"] for app in settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    }
    providers = [each.get_provider(request) for each in connected if each.provider in known]
    return render(request, "accounts/sign_in_again.html", {"providers": providers})


def go_to_provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """allauth's view, but for the last step: it would redirect a form to another site, which our
    content security policy does not let browsers follow. A page that leads there does the same."""
    try:
        response: HttpResponse = openid_connect.login(request, provider_id)
    except RequestException:
        logger.warning("a provider of accounts does not answer", extra={"provider": provider_id})
        return render(request, "socialaccount/authentication_error.html", status=503)
    target = response.headers.get("Location", "")
    if not target.startswith(("https://", "http://")):
        return response
    return render(request, "socialaccount/leaving.html", {"target": target})
