import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin_address import show_address_page
from accounts.deactivation import deactivate_person, may_be_active, reactivate_person
from accounts.models import User
from accounts.sessions import end_every_session, end_sessions

security_log = logging.getLogger("marketplace.security")

# Secrets and addresses that nobody needs to look at; sessions are ended by the actions below.
admin.site.unregister([Authenticator, SocialApp, SocialToken, UserSession])

POWERS = ("is_active", "is_staff", "is_superuser")
Change = Callable[[User], object]


class PersonCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email", "display_name")
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {}


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    add_form = PersonCreationForm
    ordering = ("-date_joined",)
    list_display = ("display_name", "email", "is_active", "is_staff", "date_joined")
    list_filter = ("is_active", "is_staff")
    search_fields = ("display_name", "email")
    actions = ("end_all_sessions", "deactivate", "reactivate", "remove_second_factor")
    fieldsets = (
        (None, {"fields": ("address", "password", "display_name", "locale", "time_zone")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "display_name", "usable_password", "password1", "password2"),
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        show = self.admin_site.admin_view(self.change_address)
        return [path("<str:key>/address/", show, name="accounts_user_address"), *super().get_urls()]

    def change_address(self, request: HttpRequest, key: str) -> HttpResponse:
        person = self.get_object(request, key)
        if not (self.has_change_permission(request, person) and self.may_decide(request, person)):
            raise PermissionDenied
        return show_address_page(self, request, person)

    @admin.display(description=_("e-mail address"))
    def address(self, person: User) -> str:
        """Changed on a page of its own: a row of allauth's says which one opens the account."""
        url = reverse("admin:accounts_user_address", args=[person.pk])
        return format_html('{} – <a href="{}">{}</a>', person.email, url, gettext("Change it"))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Whoever may change people may not make themselves more than they are. Of themselves they
        change what everybody changes; and nobody opens what is closed for good."""
        closed = obj and not obj.is_active and not may_be_active(user=obj)
        fields = ["address", "is_active"] if closed else ["address"]
        if not request.user.is_superuser:
            fields += ["is_staff", "is_superuser", "groups"]
        if not self.may_decide(request, obj):
            fields += ["is_active", "password", "last_login", "date_joined"]
        return fields

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Of the staff only a superuser changes others: else one of them becomes another."""
        is_own = obj is not None and obj.pk == request.user.pk
        if not is_own and not self.may_decide(request, obj):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self.may_decide(request, obj) and super().has_delete_permission(request, obj)

    def may_decide(self, request: HttpRequest, person: User | None) -> bool:
        """Over how, and whether, somebody signs in; over one's own there are the account pages."""
        is_staff = person is not None and (person.is_staff or person.is_superuser)
        return bool(request.user.is_superuser) or not is_staff

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        if not self.may_decide(request, self.get_object(request, unquote(id))):
            raise PermissionDenied
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            note("password set by staff", int(id))
        return response

    def get_form(self, *args: Any, **options: Any) -> Any:
        """With what it showed: what staff left as it was is no wish of theirs, even if it is
        something else by the time they save."""
        form = super().get_form(*args, **options)
        for name in set(POWERS) & set(form.base_fields):
            form.base_fields[name].show_hidden_initial = True
        return form

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        columns = {field.name for field in User._meta.concrete_fields}
        if change:
            obj.save(update_fields=columns & set(form.changed_data))
        else:
            super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data:
            if obj.is_active:
                reactivate_person(user=obj)
            else:
                deactivate_person(user=obj)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self.delete_queryset(request, User.objects.filter(pk=obj.pk))

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """People before all that is theirs, as whoever writes messages locks them."""
        list(User.objects.select_for_update().filter(pk__in=queryset.values("pk")).order_by("pk"))
        super().delete_queryset(request, queryset)

    @admin.action(description=_("End all sessions"), permissions=["change"])
    def end_all_sessions(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Those too that are on no list: all are looked through once, for all of these people, when
        what the lists have has ended and nobody is kept waiting for it."""
        allowed = [user for user in people if self.may_decide(request, user)]
        wanted: dict[str, tuple[str, ...]] = {str(user.pk): () for user in allowed}
        transaction.on_commit(partial(end_every_session, wanted=wanted))
        entry = gettext("Ended all sessions.")
        self.change_each(request, allowed, lambda user: end_sessions(user=user), entry)

    @admin.action(description=_("Deactivate"), permissions=["change"])
    def deactivate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        self.change_each(
            request,
            people.exclude(pk__in=[request.user.pk]),
            lambda user: deactivate_person(user=user),
            gettext("Deactivated."),
        )

    @admin.action(description=_("Reactivate"), permissions=["change"])
    def reactivate(self, request: HttpRequest, people: QuerySet[User]) -> None:
        entry = gettext("Reactivated.")
        self.change_each(request, people, lambda user: reactivate_person(user=user), entry)

    @admin.action(
        description=_("Remove second factor, passkeys and sessions"), permissions=["change"]
    )
    def remove_second_factor(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """For somebody who has lost both: who they are must have been made sure of before."""
        entry = gettext("Removed second factor and passkeys.")
        self.change_each(request, people, remove_factors, entry)

    def change_each(
        self, request: HttpRequest, people: Iterable[User], change: Change, entry: str
    ) -> None:
        """Does it one by one, and keeps who did it to whom. A change that answers False was not
        done."""
        allowed = [user for user in people if self.may_decide(request, user)]
        allowed.sort(key=lambda user: user.pk)  # As everybody locks people.
        changed = [user for user in allowed if change(user) is not False]
        for user in changed:
            self.log_change(request, user, entry)
        done = gettext("Done for %(count)s people.") % {"count": len(changed)}
        self.message_user(request, done, messages.SUCCESS)


def remove_factors(user: User) -> None:
    Authenticator.objects.filter(user=user).delete()
    note("second factor removed by staff", user.pk)
    end_sessions(user=user)


def note(sentence: str, user_id: int) -> None:
    security_log.info(sentence, extra={"details": {"user": user_id}})
