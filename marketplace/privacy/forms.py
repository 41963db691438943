from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class EraseForm(forms.Form):
    """One's own address, typed once more: it is the same in every language."""

    address = forms.CharField(
        label=_("Your e-mail address"),
        help_text=_("Type it to say that you mean this account."),
        max_length=254,
        widget=forms.EmailInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"].strip()
        if address.lower() != self.user.email.lower():
            raise ValidationError(_("This is not the address of this account."), code="other")
        return address
