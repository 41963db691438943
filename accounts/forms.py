"""Forms of the account pages. allauth's own, without placeholders: labels say it already."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.core import context, ratelimit
from allauth.socialaccount import forms as social_forms
from django import forms
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.names import LONGEST, SHORTEST, clean_display_name
from accounts.time_zones import find_time_zone, list_time_zones


def make_display_name_field() -> forms.CharField:
    return forms.CharField(
        label=_("Your name"),
        min_length=SHORTEST,
        max_length=LONGEST,
        help_text=_("What other people see, for example “Ana Ríos”."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class WithoutPlaceholders(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LoginForm(WithoutPlaceholders, allauth_forms.LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail address")
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["password"].help_text = ""
        self.fields["remember"].label = _("Stay signed in on this device")


class SignupForm(WithoutPlaceholders, allauth_forms.SignupForm):  # type: ignore[misc]
    """Name, address, password. The script of the page fills in the time zone of the browser."""

    field_order = ("display_name", "email", "password1")
    display_name = make_display_name_field()
    time_zone = forms.CharField(required=False, widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].help_text = _("Nobody else sees it. We send you a code to it.")
        self.fields["password1"].help_text = _("At least 8 characters, and not only digits.")

    def clean_display_name(self) -> str:
        return clean_display_name(self.cleaned_data["display_name"])

    def clean_time_zone(self) -> str:
        name = self.cleaned_data["time_zone"]
        return name if find_time_zone(name) else ""

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """The new person, or none and the answer where the address has an account already."""
        if self.account_already_exists:
            # Hashing is what takes the time: without it a quick answer would tell who is here.
            make_password(self.cleaned_data["password1"])
        saved: tuple[User | None, HttpResponse | None] = super().try_save(request)
        return saved


class ConfirmCodeForm(WithoutPlaceholders, allauth_forms.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"autocapitalize": "characters", "spellcheck": "false"}

    def clean_code(self) -> str:
        """Each code bears three guesses, counted where tries at the same moment are counted too:
        the session, where allauth counts, is read by all of them before any has written."""
        key = f"{self.email}:{self.expected_code}"
        if not ratelimit.consume(context.request, action="confirm_code", key=key):
            raise get_adapter().validation_error("incorrect_code")
        return str(super().clean_code())


class ResetPasswordForm(WithoutPlaceholders, allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")


class NewPasswordForm(WithoutPlaceholders, allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = _("At least 8 characters, and not only digits.")


class ChangePasswordForm(WithoutPlaceholders, allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].help_text = ""
        self.fields["password1"].help_text = _("At least 8 characters, and not only digits.")


class SetPasswordForm(WithoutPlaceholders, allauth_forms.SetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = _("At least 8 characters, and not only digits.")


class ReauthenticateForm(WithoutPlaceholders, allauth_forms.ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class AddEmailForm(WithoutPlaceholders, allauth_forms.AddEmailForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("New e-mail address")


class SocialSignupForm(WithoutPlaceholders, social_forms.SignupForm):  # type: ignore[misc]
    field_order = ("display_name", "email")
    display_name = make_display_name_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].help_text = _("Nobody else sees it.")

    def clean_display_name(self) -> str:
        return clean_display_name(self.cleaned_data["display_name"])


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    display_name = make_display_name_field()
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_("For the times in pages and mails."),
    )

    class Meta:
        model = User
        fields = ("display_name", "locale", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = [(name, name.replace("_", " ")) for name in list_time_zones()]
        self.fields["time_zone"].choices = [("", "UTC"), *zones]  # type: ignore[attr-defined]
        self.fields["locale"].choices = [  # type: ignore[attr-defined]
            ("", _("As my browser asks")),
            *User._meta.get_field("locale").flatchoices,
        ]

    def clean_display_name(self) -> str:
        return clean_display_name(self.cleaned_data["display_name"])
