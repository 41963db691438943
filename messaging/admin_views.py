"""The two pages of a conversation that Django's admin has no page for."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging import conf, fields
from messaging.exceptions import Forbidden, MessagingError
from messaging.models import Conversation, Participant, Role
from messaging.people import shown_name
from messaging.services.participants import add_participant, remove_participant
from messaging.services.staff import look_into

View = Callable[..., HttpResponse]
# What is said to the staff, by name, and what is kept: a name would outlive the account.
Done = tuple[str, str]


class AddParticipantForm(forms.Form):
    """Somebody by their number or by what they log in with."""

    person = forms.CharField(label=gettext_lazy("Person"), max_length=254)
    role = forms.ChoiceField(label=gettext_lazy("Side"), choices=Role.choices)

    def clean_person(self) -> Any:
        people, text = get_user_model(), str(self.cleaned_data["person"]).strip()
        try:
            found = people._default_manager.filter(pk=people._meta.pk.to_python(text)).first()
        except (ValidationError, OverflowError):
            name = f"{people.USERNAME_FIELD}__iexact"
            found = people._default_manager.filter(**{name: text}).first()
        if found is None:
            raise ValidationError(_("There is nobody with this number or log-in."))
        return found.pk


def _require(page: Any, request: HttpRequest, key: UUID) -> Conversation:
    """Raises PermissionDenied before it says whether there is such a conversation."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    conversation = Conversation.objects.filter(pk=key).first()
    if conversation is None:
        raise Http404
    return conversation


def _context(page: Any, request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
    return {
        **page.admin_site.each_context(request),
        "opts": page.opts,
        "conversation": conversation,
        "title": conversation.listing_title,
    }


def messages_view(page: Any) -> View:
    """What was said, 50 messages a page. That it was looked at is noted before it is shown."""

    def view(request: HttpRequest, key: UUID) -> HttpResponse:
        conversation = _require(page, request, key)
        try:
            before = fields.read_number(request.GET, "before")
            shown = look_into(conversation=conversation, user=request.user, before=before)
        except Forbidden:
            raise PermissionDenied from None
        except MessagingError:
            raise Http404 from None
        context = {**_context(page, request, conversation), "page": shown}
        return render(request, "messaging/admin/messages.html", context)

    return view


def participants_view(page: Any) -> View:
    """Who takes part, with a form to put somebody in and a button to take somebody out."""

    def view(request: HttpRequest, key: UUID) -> HttpResponse:
        conversation = _require(page, request, key)
        if not conf.participant_policy()(user=request.user, conversation=conversation):
            raise PermissionDenied
        form = AddParticipantForm(request.POST if "person" in request.POST else None)
        if request.method == "POST" and _change(page, request, conversation, form):
            return redirect(request.path)
        context = {
            **_context(page, request, conversation),
            "form": form,
            "members": [
                (place, shown_name(place)) for place in conversation.participants.order_by("pk")
            ],
        }
        return render(request, "messaging/admin/participants.html", context)

    return view


def _change(
    page: Any, request: HttpRequest, conversation: Conversation, form: AddParticipantForm
) -> bool:
    """Whether it was done; what refused it is on the page."""
    try:
        what, noted = _remove(request, conversation) or _add(request, conversation, form)
    except MessagingError as error:
        messages.error(request, str(error.sentence))
        return False
    if what:
        page.log_change(request, conversation, noted)
        messages.success(request, what)
    return bool(what)


def _remove(request: HttpRequest, conversation: Conversation) -> Done | None:
    place = conversation.participants.filter(pk=_number(request.POST.get("remove"))).first()
    if place is None:
        return None
    remove_participant(
        conversation_id=conversation.pk, user_id=place.user_id, removed_by=request.user
    )
    return _describe(_("%(name)s was taken out."), place)


def _add(request: HttpRequest, conversation: Conversation, form: AddParticipantForm) -> Done:
    if not form.is_valid():
        return "", ""
    place = add_participant(
        conversation_id=conversation.pk,
        user_id=form.cleaned_data["person"],
        role=form.cleaned_data["role"],
        added_by=request.user,
    )
    return _describe(_("%(name)s was put in."), place)


def _describe(sentence: str, place: Participant) -> Done:
    return sentence % {"name": shown_name(place)}, sentence % {"name": f"#{place.pk}"}


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0
