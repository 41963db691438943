"""What names a person outside of the rows that belong to them: sessions, the staff's log, counters
of tries in the cache."""

import json
import logging
from collections.abc import Iterable, Iterator
from typing import Any

from allauth.account import app_settings
from allauth.core import ratelimit
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import ForeignObjectRel, Q
from django.http import HttpRequest

from accounts.models import User
from marketplace.privacy.services.account import rows_of

logger = logging.getLogger(__name__)

BATCH = 1000


def addresses_of(*, user: User) -> set[str]:
    """Every e-mail address of theirs, in lower case."""
    rows = [row.email for row in rows_of("account", "EmailAddress", user)]
    return {address.lower() for address in (user.email, *rows) if address}


# --- Sessions -------------------------------------------------------------------------------------


def end_sessions(*, user: User) -> int:
    """Delete every session of theirs, with the questions kept in it; how many.

    A session says whose it is only inside, so all are looked through, a thousand at a time. One
    that is on its way through sign-in or sign-up names no account yet, but the address.
    """
    ended = 0
    addresses = addresses_of(user=user)
    for page in _all_sessions():
        keys = [row.session_key for row in page if _names(row, user, addresses)]
        ended += len(keys)
        Session.objects.filter(session_key__in=keys).delete()
    return ended


def _all_sessions() -> Iterator[list[Session]]:
    after = ""
    rows = Session.objects.order_by("session_key")
    while page := list(rows.filter(session_key__gt=after)[:BATCH]):
        yield page
        after = page[-1].session_key


def _names(row: Session, user: User, addresses: set[str]) -> bool:
    content = row.get_decoded()
    if str(content.get(SESSION_KEY, "")) == str(user.pk):
        return True
    text = json.dumps(content, default=str, ensure_ascii=False).lower()
    return any(f'"{address}"' in text for address in addresses)


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
    except Exception as error:
        logger.warning("The cache is away: %s", type(error).__name__)
