"""Forms of the second factor. allauth's own, with our words, and strict about what is no answer
of a passkey at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as passkey_forms
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import WithoutPlaceholders

LONGEST_NAME = 60


class CodeForm(WithoutPlaceholders):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        code.max_length = 20  # type: ignore[attr-defined]
        code.widget.attrs |= {"maxlength": "20", "spellcheck": "false", "inputmode": "numeric"}


class AuthenticateForm(CodeForm, base_forms.AuthenticateForm):  # type: ignore[misc]
    pass


class ReauthenticateForm(CodeForm, base_forms.ReauthenticateForm):  # type: ignore[misc]
    pass


class ActivateAppForm(CodeForm, totp_forms.ActivateTOTPForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("The code that the app shows")


@contextmanager
def refuse_nonsense() -> Iterator[None]:
    """An answer that no passkey gives (no object, keys missing, no base64) is a wrong one."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise get_adapter().validation_error("incorrect_code") from error


class AnswerField(forms.JSONField):
    """What a passkey says. Nested without end it would end the parser instead."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError as error:
            raise get_adapter().validation_error("incorrect_code") from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        return None  # Nobody types it: the page asks for a new one.


def make_answer_field() -> AnswerField:
    return AnswerField(widget=forms.HiddenInput)


class StrictPasskey(forms.Form):
    credential = make_answer_field()

    def clean_credential(self) -> Authenticator:
        with refuse_nonsense():
            return super().clean_credential()  # type: ignore[misc]


class AuthenticatePasskeyForm(StrictPasskey, passkey_forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class ReauthenticatePasskeyForm(StrictPasskey, passkey_forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class LoginPasskeyForm(StrictPasskey, passkey_forms.LoginWebAuthnForm):  # type: ignore[misc]
    pass


def name_field(field: forms.Field) -> None:
    field.label = _("A name for it")
    field.help_text = _("To tell your passkeys apart, for example “Phone”.")
    field.max_length = LONGEST_NAME  # type: ignore[attr-defined]
    field.widget.attrs |= {"maxlength": str(LONGEST_NAME), "autocomplete": "off"}


class AddPasskeyForm(passkey_forms.AddWebAuthnForm):  # type: ignore[misc]
    credential = make_answer_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_field(self.fields["name"])
        passwordless = self.fields["passwordless"]
        passwordless.initial = True
        passwordless.label = _("Sign in with it instead of the password")
        passwordless.help_text = _(
            "Without this it is asked for after the password, as a second factor."
        )

    def clean_name(self) -> str:
        name: str = super().clean_name()
        return name[:LONGEST_NAME]

    def clean(self) -> dict[str, Any]:
        with refuse_nonsense():
            cleaned: dict[str, Any] = super().clean()
        return cleaned


class RenamePasskeyForm(passkey_forms.EditWebAuthnForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_field(self.fields["name"])

    def clean_name(self) -> str:
        return str(self.cleaned_data["name"])[:LONGEST_NAME]
