"""The admin's page for a new address: the field alone would leave the old one in power."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.addresses import is_free, replace_address
from accounts.models import User


class AddressForm(forms.Form):
    email = forms.EmailField(label=_("New e-mail address"), max_length=254)
    is_verified = forms.BooleanField(
        label=_("It is certain that this address is theirs"),
        help_text=_("Without this they confirm it by a code when they next sign in."),
        required=False,
    )

    def __init__(self, *args: Any, person: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.person = person

    def clean_email(self) -> str:
        address = str(self.cleaned_data["email"]).lower()
        if not is_free(address, user=self.person):
            raise ValidationError(_("Somebody else has this address."), code="taken")
        return address


def show_address_page(
    page: "ModelAdmin[User]", request: HttpRequest, person: User | None
) -> HttpResponse:
    """To whoever may decide over this person's account."""
    if person is None:
        raise Http404
    form = AddressForm(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        address, is_verified = form.cleaned_data["email"], form.cleaned_data["is_verified"]
        replace_address(user=person, address=address, is_verified=is_verified)
        page.log_change(request, person, gettext("Replaced the e-mail address."))
        messages.success(
            request, gettext("The address is changed. They are signed out everywhere.")
        )
        return redirect("admin:accounts_user_change", person.pk)
    context = {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "person": person,
        "form": form,
        "title": gettext("Change the e-mail address"),
    }
    return render(request, "accounts/admin_address.html", context)
