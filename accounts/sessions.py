"""Where somebody is signed in, and the ending of it.

A session is a row of Django's and, beside it, allauth's that knows the person and the device. To
end one both go, each by itself: whoever listens for the deletion of sessions hears of every one.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import User

security_log = logging.getLogger("marketplace.security")

# A sign-in writes the row beside the session before what is in the session.
BEING_WRITTEN = timedelta(minutes=1)
# To unpack a session costs the processor: other threads get their turn in between.
BATCH = 200


def list_sessions(*, user: User) -> list[UserSession]:
    """Those that still open something, the newest first. Two queries; three where some are over."""
    known = list(UserSession.objects.filter(user=user).order_by("-last_seen_at"))
    alive = _find_alive(user, [session.session_key for session in known])
    young = timezone.now() - BEING_WRITTEN
    gone = (session for session in known if session.session_key not in alive)
    over = [session.pk for session in gone if session.created_at < young]
    if over:
        UserSession.objects.filter(pk__in=over).delete()
    return [session for session in known if session.session_key in alive]


def _find_alive(user: User, keys: list[str]) -> set[str]:
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return {
        row.session_key
        for row in rows
        if is_hash_of(user, row.get_decoded().get(HASH_SESSION_KEY, ""))
    }


def is_hash_of(user: User, auth_hash: str) -> bool:
    """Whether a session with this hash was opened with the person's password of now: the hash is by
    the key of now, or by an earlier one until the session's next page makes it anew."""
    valid = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(auth_hash, one) for one in valid)


def end_session(*, user: User, session_id: int) -> bool:
    """Whether there was such a session of this person."""
    session = UserSession.objects.filter(user=user, pk=session_id).first()
    if session is None:
        return False
    _end([session.session_key])
    _log(user.pk, 1)
    return True


@transaction.atomic
def end_sessions(*, user: User, except_key: str | None = None) -> int:
    """All of a person's, but for the one with the key. How many there were.

    Holds the person first: a new password, which moves a session to another key, is waited for.
    """
    User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
    known = UserSession.objects.filter(user=user).exclude(session_key=except_key)
    count = _end(list(known.values_list("session_key", flat=True)))
    _log(user.pk, count)
    return count


def end_every_session(
    *, wanted: Mapping[str, Collection[str]], after_each: Callable[[], None] | None = None
) -> Counter[str]:
    """Those too that no list has: of sign-ins before there was one, or half-way through sign-in.

    `wanted`: by the number of an account, the addresses (in lower case) that a session may not name
    either. What the lists have ends first; then all sessions are looked through once, because a
    session says only inside whose it is. `after_each` batch is a time to say that work goes on.
    How many ended, by the number.
    """
    ended: Counter[str] = Counter()
    for number in wanted:
        known = UserSession.objects.filter(user_id=number).values_list("session_key", flat=True)
        ended[number] = _end(list(known))
    for page in _all_sessions():
        found = {row.session_key: number for row in page if (number := _find_named(row, wanted))}
        _end(list(found))
        ended.update(found.values())
        if after_each:
            after_each()
    for number, count in ended.items():
        _log(int(number), count)
    return ended


def _all_sessions() -> Iterator[list[Session]]:
    after = ""
    rows = Session.objects.order_by("session_key")
    while page := list(rows.filter(session_key__gt=after)[:BATCH]):
        yield page
        after = page[-1].session_key


def _find_named(row: Session, wanted: Mapping[str, Collection[str]]) -> str:
    """The number of the account that a session is of, or names; empty if it is of none of them."""
    content = row.get_decoded()
    number = str(content.get(SESSION_KEY, ""))
    if number in wanted:
        return number
    text = json.dumps(content, default=str, ensure_ascii=False).lower()
    named = (
        number
        for number, addresses in wanted.items()
        if any(f'"{address}"' in text for address in addresses)
    )
    return next(named, "")


def _log(user_id: int, count: int) -> None:
    if count:
        security_log.info("sessions ended", extra={"details": {"user": user_id, "count": count}})


@transaction.atomic
def _end(keys: list[str]) -> int:
    for session in Session.objects.filter(session_key__in=keys).order_by("session_key"):
        session.delete()
    UserSession.objects.filter(session_key__in=keys).delete()
    return len(keys)
