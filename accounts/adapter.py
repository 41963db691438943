"""Where allauth meets this product."""

import logging
from functools import partial
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, get_supported_language_variant, gettext_lazy
from django.utils.translation import gettext as _

from accounts.confirming import can_confirm, signed_in_recently
from accounts.devices import describe_device, shorten_address
from accounts.holding import hold_person, hold_session
from accounts.links import correct_links, make_link
from accounts.models import User
from accounts.sessions import end_sessions

REAUTHENTICATION = {
    "reauthenticate": gettext_lazy("Use your password"),
    "sign_in_again": gettext_lazy("Sign in again"),
    "mfa_reauthenticate": gettext_lazy("Use a code"),
    "mfa_reauthenticate:webauthn": gettext_lazy("Use a passkey"),
}

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy(
            "This address and this password do not belong together. Check both and try again."
        ),
        "too_many_login_attempts": gettext_lazy(
            "Too many tries. Wait five minutes, then try again."
        ),
        "incorrect_code": gettext_lazy("This is not the code. Look at the newest mail from us."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "enter_current_password": gettext_lazy("This is not your password."),
        "rate_limited": gettext_lazy("This was too quick. Wait a moment, then try again."),
    }

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        saved: User = super().save_user(request, user, form, commit=False)
        saved.display_name = form.cleaned_data["display_name"]
        saved.time_zone = form.cleaned_data.get("time_zone", "")
        saved.locale = get_supported_language_variant(get_language() or settings.LANGUAGE_CODE)
        if commit:
            saved.save()
        return saved

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Of a sign-in that fails Django tells; of one that is not even tried nobody would."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            logger.warning("too many tries to sign in")
            raise

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """The address alone. allauth adds the host, and whoever asks may write one of many."""
        return str(credentials.get("email", "")).lower()

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """None where the address or the password is wrong.

        Everybody knows the password of the demo people: where they could do harm they stay out,
        even if somebody has copied a demo database there.
        """
        user: User | None = super().authenticate(request, **credentials)
        public = credentials.get("password") == settings.DEMO_PASSWORD
        if user and public and not settings.DEBUG and user.email in settings.DEMO_ADDRESSES:
            return None
        return user

    def is_safe_url(self, url: str) -> bool:
        """Whether to send somebody there after log-in: this very host and no other."""
        request = context.request
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:overview")

    def set_password(self, user: User, password: str) -> None:
        """Who changes it stays signed in; whoever else is signed in with the old one does not.

        An account that was closed, or has another password, since it was read keeps that.
        """
        known, request = user.password, context.request
        user.set_password(password)  # Before anything is held: hashing takes its time.
        with transaction.atomic():
            is_own = request.user == user
            person = hold_session(request) if is_own else hold_person(user_id=user.pk)
            if person is None:
                raise ImmediateHttpResponse(self.respond_user_inactive(request, user))
            if person.password != known:
                raise ImmediateHttpResponse(redirect_to_login(reverse("accounts:overview")))
            user.save(update_fields=["password"])
            end_sessions(user=user, except_key=request.session.session_key if is_own else None)

    def is_reauthentication_required(self, *, app: str, **options: Any) -> bool:
        """allauth goes on by asking how long ago it was, and believes whoever has nothing to be
        asked for: those are stopped here, where it asks first."""
        required: bool = super().is_reauthentication_required(app=app, **options)
        if required and not can_confirm(self.request.user):
            if not signed_in_recently(self.request):
                raise ReauthenticationRequired
            return False
        return required

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if user.is_authenticated and not methods:
            methods = [{"id": "sign_in_again", "url": reverse("accounts:sign-in-again")}]
        return [
            method | {"description": REAUTHENTICATION.get(method["id"], "")} for method in methods
        ]

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Says with what and roughly from where something was done, to whoever owns the account."""
        words = {
            "user_agent": describe_device(self.get_http_user_agent(self.request)),
            "ip": shorten_address(self.get_client_ip(self.request)),
            "account_url": make_link(reverse("accounts:overview")),
        }
        with translation.override(user.locale or translation.get_language()):
            super().send_notification_mail(template_prefix, user, (context or {}) | words, email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In a view that is undone where the session has ended: once it is known not to have."""
        request = self.request
        words = {"request": request, "email": email, "current_site": get_current_site(request)}
        mail = self.render_mail(template_prefix, email, words | correct_links(context))
        waiting = getattr(request, "mails_after_commit", None)
        send = partial(self.send_or_say_so, mail, template_prefix)
        send() if waiting is None else waiting.append(send)

    def send_or_say_so(self, mail: EmailMessage, template_prefix: str) -> None:
        """A mail server that is down costs the mail, not the page: it says what to do."""
        try:
            mail.send()
        except (OSError, SMTPException):
            logger.exception("An account mail could not be sent", extra={"mail": template_prefix})
            if self.request:
                messages.error(
                    self.request,
                    _("We could not send the mail just now. Ask for it again in a few minutes."),
                )
