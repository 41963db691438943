from collections.abc import Callable
from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.deactivation import deactivate_person, reactivate_person
from accounts.models import User
from accounts.sessions import end_sessions

# Secrets and addresses that nobody needs to look at; sessions are ended by the actions below.
admin.site.unregister([Authenticator, SocialApp, SocialToken, UserSession])

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
        (None, {"fields": ("email", "password", "display_name", "locale", "time_zone")}),
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

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever may change people may not make themselves more than they are."""
        if request.user.is_superuser:
            return ()
        return ("is_staff", "is_superuser", "groups")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and not obj.is_active:
            end_sessions(user=obj)

    @admin.action(description=_("End all sessions"), permissions=["change"])
    def end_all_sessions(self, request: HttpRequest, people: QuerySet[User]) -> None:
        self.change_each(
            request, people, lambda user: end_sessions(user=user), gettext("Ended all sessions.")
        )

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
        self, request: HttpRequest, people: QuerySet[User], change: Change, entry: str
    ) -> None:
        """Does it one by one, and keeps who did it to whom."""
        allowed = [user for user in people if self.has_change_permission(request, user)]
        for user in allowed:
            change(user)
            self.log_change(request, user, entry)
        done = gettext("Done for %(count)s people.") % {"count": len(allowed)}
        self.message_user(request, done, messages.SUCCESS)


def remove_factors(user: User) -> None:
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user=user)
