"""Where signing in with an account elsewhere meets this product."""

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language, get_supported_language_variant, gettext_lazy

from accounts.models import User
from accounts.names import clean_display_name


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultSocialAccountAdapter.error_messages | {
        "no_password": gettext_lazy("Choose a password first: you could not sign in without one."),
        "no_verified_email": gettext_lazy("Confirm your e-mail address first."),
    }

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        """Whose address the provider has verified, if it is somebody's here.

        Verified is what the provider calls `true`: some write “false”, which is a text and as good
        as true to Python.
        """
        for address in sociallogin.email_addresses:
            address.verified = address.verified is True
        found: tuple[User, str] | None = super().authenticate_by_email(sociallogin)
        return found

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        user.email = user.email.lower()
        user.display_name = suggest_name(data)
        user.locale = get_supported_language_variant(get_language() or settings.LANGUAGE_CODE)
        return user

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whoever has no name that others may see is asked for one."""
        allowed: bool = super().is_auto_signup_allowed(request, sociallogin)
        return allowed and bool(sociallogin.user.display_name)

    def get_signup_form_initial_data(self, sociallogin: SocialLogin) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_signup_form_initial_data(sociallogin)
        return initial | {"display_name": sociallogin.user.display_name}

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: SocialAccount) -> str:
        return reverse("socialaccount_connections")


def suggest_name(data: dict[str, Any]) -> str:
    """The name as the provider has it, if it is one that others may see; else empty."""
    parts = (data.get("first_name"), data.get("last_name"))
    name = data.get("name") or " ".join(part for part in parts if part)
    try:
        return clean_display_name(str(name))
    except ValidationError:
        return ""
