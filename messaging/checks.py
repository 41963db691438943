"""What this app needs of the site around it. Each thing that is missing is one sentence."""

import inspect
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from celery import current_app
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.template import Context, TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.template.loader_tags import BlockNode, ExtendsNode
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from messaging import conf
from messaging.listings import has_field, listing_class
from notifications.schedule import SWEEP

NEEDED_OF_LISTINGS = ("seller", "seller_id", "title", "get_absolute_url")
NEEDED_APPS = (
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "lucide",
    "notifications",
)
NEEDED_MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)
NEEDED_CONTEXT = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "messaging.context_processors.unread",
)
NEEDED_BLOCKS = {"title", "head", "main"}


def check_installation(**_options: Any) -> list[CheckMessage]:
    return [
        *_check_listings(),
        *_check_apps(),
        *_check_middleware(),
        *_check_context(),
        *_check_base(),
        *_check_addresses(),
        *_check_origins(),
        *_check_channel_layer(),
        *_check_routing(),
        *_check_schedule(),
    ]


def _check_listings() -> Iterator[CheckMessage]:
    try:
        model = listing_class()
    except LookupError:
        sentence = (
            f"MESSAGING_LISTING_MODEL names {conf.listing_model()}, and there is no such model."
        )
        yield Error(sentence, id="messaging.E001")
        return
    for name in NEEDED_OF_LISTINGS:
        if not hasattr(model, name):
            yield Error(
                f"{model._meta.label} has no `{name}`, which messages about it need.",
                hint="What a listing must have is in messaging/listings.py.",
                id="messaging.E002",
            )
    field = conf.listing_slug_field()
    if field != "pk" and not has_field(field):
        yield Error(
            f"MESSAGING_LISTING_SLUG_FIELD is {field}, and {model._meta.label} has no such field.",
            hint="`pk` is one that every model has.",
            id="messaging.E003",
        )


def _check_apps() -> Iterator[CheckMessage]:
    for name in NEEDED_APPS:
        if not apps.is_installed(name):
            yield Error(f"{name} is not in INSTALLED_APPS.", id="messaging.E004")


def _check_middleware() -> Iterator[CheckMessage]:
    """As in Django's admin, a subclass of the needed one counts."""
    present = [import_string(name) for name in settings.MIDDLEWARE]
    classes = [one for one in present if inspect.isclass(one)]
    for name in NEEDED_MIDDLEWARE:
        if not any(issubclass(one, import_string(name)) for one in classes):
            yield Error(f"{name} is not in MIDDLEWARE.", id="messaging.E005")


def _check_context() -> Iterator[CheckMessage]:
    options = [engine.get("OPTIONS", {}) for engine in settings.TEMPLATES]
    present = {name for given in options for name in given.get("context_processors", [])}
    for name in NEEDED_CONTEXT:
        if name not in present:
            yield Error(f"The context processor {name} is not in TEMPLATES.", id="messaging.E011")


def _check_base() -> Iterator[CheckMessage]:
    """Only for Django's own templates whose base is named in so many words."""
    try:
        found = get_template("messaging/base.html")
        missing = NEEDED_BLOCKS - _find_blocks(found.template)  # type: ignore[attr-defined]
    except TemplateDoesNotExist as error:
        yield Error(
            f"There is no template {error}, in which the pages of conversations stand.",
            hint="Put a messaging/base.html among your templates that extends your own base.",
            id="messaging.E012",
        )
        return
    except (AttributeError, TemplateSyntaxError):
        return
    for name in sorted(missing):
        yield Error(
            f"Neither messaging/base.html nor what it extends has a block `{name}`.",
            hint="What it must say is in docs/adopting.md.",
            id="messaging.E013",
        )


def _find_blocks(template: Any) -> set[str]:
    names = {block.name for block in template.nodelist.get_nodes_by_type(BlockNode)}
    for node in template.nodelist.get_nodes_by_type(ExtendsNode):
        parent = node.parent_name.resolve(Context())
        # A name that only a page knows may be that of any base.
        names |= _find_blocks(template.engine.get_template(parent)) if parent else NEEDED_BLOCKS
    return names


def _check_addresses() -> Iterator[CheckMessage]:
    try:
        reverse("messaging:conversations")
    except NoReverseMatch:
        yield Error(
            "The pages of conversations have no address.",
            hint='Add path("", include("messaging.urls")) to the URLs.',
            id="messaging.E006",
        )
    links = {
        "LOGIN_URL": conf.login_url,
        "MESSAGING_BROWSE_URL": conf.browse_url,
        "MESSAGING_SELLING_URL": conf.selling_url,
    }
    for name, find in links.items():
        try:
            find()
        except NoReverseMatch:
            yield Error(
                f"{name} is neither a path nor the name of a URL of this site.",
                id="messaging.E007",
            )


def _check_origins() -> Iterator[CheckMessage]:
    origins = conf.allowed_origins()
    if not origins or any(not _is_origin(origin) for origin in origins):
        yield Error(
            "MESSAGING_ALLOWED_ORIGINS must list from where pages may open sockets,"
            " like https://market.example.",
            id="messaging.E008",
        )


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" == text


def _check_channel_layer() -> Iterator[CheckMessage]:
    layer = get_channel_layer()
    if layer is None:
        yield Error(
            "CHANNEL_LAYERS has no default, so nobody would hear of a new message.",
            hint="With Redis it is messaging.redis_layer.RedisPubSubChannelLayer.",
            id="messaging.E009",
        )
    elif isinstance(layer, InMemoryChannelLayer) and not settings.DEBUG:
        yield Warning(
            "CHANNEL_LAYERS is in memory: other processes hear of new messages late.",
            id="messaging.W001",
        )


def _check_routing() -> Iterator[CheckMessage]:
    name = getattr(settings, "ASGI_APPLICATION", None)
    if not name:
        yield Warning(
            "ASGI_APPLICATION is not set, so nothing says where sockets go.", id="messaging.W002"
        )
        return
    routes = getattr(import_string(name), "application_mapping", None)
    if routes is not None and "websocket" not in routes:
        yield Error(
            f"{name} has no way for sockets.",
            hint='Give its ProtocolTypeRouter "websocket": websocket_application'
            " of messaging.routing.",
            id="messaging.E010",
        )


def _check_schedule() -> Iterator[CheckMessage]:
    """Only where this process knows the schedule; whether the beat runs is another question."""
    schedule = getattr(settings, "CELERY_BEAT_SCHEDULE", None) or current_app.conf.beat_schedule
    if schedule and all(entry["task"] != SWEEP for entry in schedule.values()):
        yield Warning(
            f"The beat's schedule has no {SWEEP}, so nobody would be mailed.",
            hint="Put notifications.schedule.BEAT_SCHEDULE into it.",
            id="messaging.W003",
        )
