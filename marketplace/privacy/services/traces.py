"""What names a person outside of the rows that belong to them: sessions, the staff's log, counters
of tries in the cache."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import ForeignObjectRel, Q
from django.http import HttpRequest

from accounts.models import User
from accounts.sessions import end_every_session
from marketplace.privacy.services.account import rows_of

logger = logging.getLogger(__name__)

BATCH = 1000


def addresses_of(*, user: User) -> set[str]:
    """Every e-mail address of theirs, in lower case."""
    rows = [row.email for row in rows_of("account", "EmailAddress", user)]
    return {address.lower() for address in (user.email, *rows) if address}


# --- Sessions -------------------------------------------------------------------------------------


def end_sessions(
    *, users: Iterable[User], after_each: Callable[[], None] | None = None
) -> Counter[str]:
    """Delete every session of theirs, with the questions kept in it; how many, by their number.

    One that is on its way through sign-in or sign-up names no account yet, but the address.
    """
    wanted = {str(user.pk): addresses_of(user=user) for user in users}
    return end_every_session(wanted=wanted, after_each=after_each)


# --- The staff's log ------------------------------------------------------------------------------


def forget_in_staff_log(*, user: User) -> int:
    """Delete entries of the admin's log about the account and what belongs to it; how many.

    Each entry keeps the name its object had, and a sentence that may hold more.
    """
    gone = _delete(_about(User, [str(user.pk)]))
    for relation in User._meta.related_objects:
        gone += _forget_related(relation, user)
    for address in addresses_of(user=user):
        named = Q(object_repr__icontains=address) | Q(change_message__icontains=address)
        gone += _delete(LogEntry.objects.filter(named))
    return gone


def _forget_related(relation: ForeignObjectRel, user: User) -> int:
    model: Any = relation.related_model
    if relation.many_to_many or model is LogEntry:
        return 0
    logged = _about(model).values_list("object_id", flat=True).distinct()
    gone = 0
    for keys in _chunks(logged.iterator(chunk_size=BATCH)):
        owned = model._default_manager.filter(pk__in=keys, **{relation.field.name: user})
        gone += _delete(_about(model, [str(key) for key in owned.values_list("pk", flat=True)]))
    return gone


def _about(model: Any, keys: Iterable[str] | None = None) -> Any:
    entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
    return entries if keys is None else entries.filter(object_id__in=list(keys))


def _delete(entries: Any) -> int:
    return int(entries.delete()[0])


def _chunks(keys: Iterable[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for key in keys:
        chunk.append(key)
        if len(chunk) == BATCH:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


# --- Counters -------------------------------------------------------------------------------------


def forget_tries(*, user: User) -> None:
    """How often somebody has tried to sign in and the like, counted in the cache for a while under
    a digest of the address. A cache that is away keeps them until they lapse."""
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = "0.0.0.0"  # noqa: S104 - Nobody's: counters of places stay.
    try:
        for action in app_settings.RATE_LIMITS:
            for address in addresses_of(user=user):
                ratelimit.clear(request, action=action, key=address, user=user)
        for address in addresses_of(user=user):
            # Signing in is counted under a key of the adapter's own.
            get_adapter()._delete_login_attempts_cached_email(request, email=address)
    except Exception as error:
        logger.warning("The cache is away: %s", type(error).__name__)
