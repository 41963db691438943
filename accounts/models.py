"""People. They log in with their e-mail address and are known by their display name."""

from typing import Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.contrib.auth import hashers
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
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

    # The columns as they were read or last written.
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

    def refresh_from_db(self, *args: Any, **options: Any) -> None:
        super().refresh_from_db(*args, **options)
        self._stored = self._read_columns()

    def save(self, **options: Any) -> None:
        """Only what has changed since it was read: whoever saves a name knows nothing of whether
        the account was closed, given another password or less power in the meantime."""
        known = getattr(self, "_stored", None)
        if known is not None and options.get("update_fields") is None:
            columns = self._read_columns().items()
            changed = [name for name, value in columns if known.get(name, self) != value]
            options |= {} if options.get("force_insert") else {"update_fields": changed}
        super().save(**options)
        written = options.get("update_fields")
        columns = self._read_columns().items()
        now = {name: value for name, value in columns if written is None or name in written}
        self._stored = (known or {}) | now

    def _read_columns(self) -> dict[str, Any]:
        """All but those that were not asked for."""
        names = [field.attname for field in self._meta.concrete_fields if not field.primary_key]
        return {name: self.__dict__[name] for name in names if name in self.__dict__}

    def check_password(self, raw_password: str | None) -> bool:
        """Hashes it anew where that is due, unless there is another password meanwhile."""
        known = self.password

        def hash_anew(raw_password: str) -> None:
            self.password = hashers.make_password(raw_password)
            rows = User.objects.filter(pk=self.pk, password=known)
            rows.update(password=self.password)
            self._stored["password"] = self.password

        return hashers.check_password(raw_password, known, hash_anew)
