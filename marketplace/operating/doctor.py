"""What only this marketplace can say to the doctor: its files, and what stands in front of it."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.environment import is_loopback
from messaging.doctor.registry import register
from notifications.findings import doubtful, fine, wrong

MANIFEST = "staticfiles.json"


def register_questions() -> None:
    register("static_files", gettext_lazy("Static files"), ask_static_files)
    register("photos", gettext_lazy("Photos"), ask_photos)
    register("proxy", gettext_lazy("Proxy"), ask_proxy)
    register("redis_password", gettext_lazy("Password of Redis"), ask_redis_password)
    register("debug", gettext_lazy("Debug"), ask_debug)


def ask_static_files() -> Iterator[CheckMessage]:
    if (Path(settings.STATIC_ROOT) / MANIFEST).exists():
        yield fine(_("The static files are collected."))
    else:
        yield wrong(
            _("The static files are not collected: every page fails."),
            _("Run “manage.py collectstatic”, then start the web processes again."),
        )


def ask_photos() -> Iterator[CheckMessage]:
    folder = Path(settings.MEDIA_ROOT)
    folder = folder if folder.exists() else folder.parent
    probe = folder / ".messaging_doctor"
    try:
        probe.touch()
        probe.unlink()
    except OSError:
        yield wrong(
            _("Photos cannot be stored in %(folder)s.") % {"folder": settings.MEDIA_ROOT},
            _("Let the user of the web processes write there. Is the disk full?"),
        )
    else:
        yield fine(_("Photos can be stored."))


def ask_proxy() -> Iterator[CheckMessage]:
    """People's addresses and the scheme come from the proxy, or from nobody."""
    secure = str(settings.SITE_URL).startswith("https://")
    trusted = getattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", 0)
    if secure and not trusted:
        yield doubtful(
            _(
                "The site is https://, and no proxy is trusted to say so: behind one, every page"
                " leads to itself, and everybody's tries to sign in are counted as the proxy's."
            ),
            _(
                "Set TRUSTED_PROXY_COUNT to the number of proxies in front of the web processes."
                " Where these speak TLS themselves, 0 is right."
            ),
        )
    elif not secure and not settings.DEBUG and not _is_here():
        yield doubtful(
            _("The site is not encrypted: passwords and messages can be read on the way."),
            _("Put a proxy with a certificate in front and set SITE_URL to https://."),
        )
    else:
        yield fine(_("Proxies and SITE_URL go together."))


def _is_here() -> bool:
    return any(f"//{host}" in settings.SITE_URL for host in ("localhost", "127.0.0.1"))


def ask_redis_password() -> Iterator[CheckMessage]:
    """Redis takes Celery's tasks from whoever reaches it."""
    parts = urlsplit(settings.REDIS_URL)
    is_remote = parts.scheme in ("redis", "rediss") and not is_loopback(parts.hostname or "")
    if is_remote and not parts.password:
        yield doubtful(
            _("Redis is on another machine and asks for no password: whoever reaches it commands."),
            _("Set requirepass there, and REDIS_URL to redis://:password@host:6379/0."),
        )
    elif parts.scheme:
        yield fine(_("Redis is asked with a password, or on this machine."))


def ask_debug() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        yield doubtful(
            _(
                "DEBUG is on: failures show the inside to everybody, and everybody knows the"
                " passwords of the demo people."
            ),
            _("Set DEBUG to 0 wherever strangers can reach it."),
        )
    else:
        yield fine(_("DEBUG is off."))
