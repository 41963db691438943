"""People. They log in with their e-mail address and are known by their display name."""

from collections.abc import Collection, Iterable
from typing import Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.contrib.auth import hashers
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, router, transaction
from django.db.models.signals import post_save, pre_save
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("A person needs an e-mail address.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """With a verified address: whoever runs this has the machine, and the first one has to
        come in before any mail can be sent."""
        with transaction.atomic(using=self._db):
            user = self.create_user(email, password, **fields, is_staff=True, is_superuser=True)
            addresses = apps.get_model("account", "EmailAddress")._default_manager
            addresses.create(user=user, email=user.email, verified=True, primary=True)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(_("e-mail address"), unique=True)
    display_name = models.CharField(
        _("display name"), max_length=60, help_text=_("What other people see. Not your address.")
    )
    locale = models.CharField(_("language"), max_length=12, blank=True, choices=settings.LANGUAGES)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    # The columns as they were read or last committed. What was written in a transaction that is
    # still open is not among them: it may be undone.
    _stored: dict[str, Any]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.display_name or str(_("Member %(number)s") % {"number": self.pk})

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name.partition(" ")[0]

    @classmethod
    def from_db(cls, *args: Any, **options: Any) -> "User":
        person = super().from_db(*args, **options)
        person._stored = person._read_columns()
        return person

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Any] | None = None,
    ) -> None:
        """Also what loads a column that was not asked for at first. The others stay as they are,
        changed or not."""
        names = None if fields is None else list(fields)
        super().refresh_from_db(using, names, from_queryset)
        if names is None:
            self._stored = self._read_columns()
        elif self._is_known():
            self._stored.update(self._read_columns(names))

    def save(self, **options: Any) -> None:
        """Only what has changed since it was read: whoever saves a name knows nothing of whether
        the account was closed, given another password or less power in the meantime."""
        is_said = options.get("force_insert") or options.get("update_fields") is not None
        if is_said or not self._is_known():
            self._write(options)
        elif changed := self._find_changed():
            self._write({**options, "update_fields": changed})
        else:
            self._tell_of_a_save(options.get("using") or router.db_for_write(User, instance=self))

    def _find_changed(self) -> list[str]:
        columns = self._read_columns().items()
        return [name for name, value in columns if self._stored.get(name, self) != value]

    def _write(self, options: dict[str, Any]) -> None:
        """What is written is unknown until it is committed: undone, it is written once more."""
        super().save(**options)
        names = options.get("update_fields")
        written = self._read_columns(names)
        if self._is_known():
            known = self._stored.items()
            self._stored = {name: value for name, value in known if name not in written}
        elif names is not None:  # Nothing is known of the other columns.
            return
        transaction.on_commit(lambda: self._note(written), using=self._state.db)

    def _tell_of_a_save(self, using: str) -> None:
        """As Django does it, but not where `update_fields` is empty."""
        told = {"instance": self, "raw": False, "using": using, "update_fields": frozenset[str]()}
        pre_save.send(type(self), **told)
        post_save.send(type(self), created=False, **told)

    def _note(self, committed: dict[str, Any]) -> None:
        self._stored = {**self.__dict__.get("_stored", {}), **committed}

    def _is_known(self) -> bool:
        return "_stored" in self.__dict__

    def _read_columns(self, only: Collection[str] | None = None) -> dict[str, Any]:
        """All but those that were not asked for."""
        names = [field.attname for field in self._meta.concrete_fields if not field.primary_key]
        return {
            name: self.__dict__[name]
            for name in names
            if name in self.__dict__ and (only is None or name in only)
        }

    def check_password(self, raw_password: str | None) -> bool:
        """Hashes it anew where that is due, unless there is another password meanwhile."""
        known = self.password

        def hash_anew(raw_password: str) -> None:
            self.password = hashers.make_password(raw_password)
            rows = User.objects.filter(pk=self.pk, password=known)
            rows.update(password=self.password)
            if self._is_known():
                self._stored["password"] = self.password

        return hashers.check_password(raw_password, known, hash_anew)
