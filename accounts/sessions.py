"""Where somebody is signed in, and the ending of it.

A session is a row of Django's and, beside it, allauth's that knows the person and the device. To
end one both go, each by itself: whoever listens for the deletion of sessions hears of every one.
"""

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import User


def list_sessions(*, user: User) -> list[UserSession]:
    """Those that still open something, the newest first. Two queries; three where some are over."""
    known = list(UserSession.objects.filter(user=user).order_by("-last_seen_at"))
    alive = _find_alive(user, [session.session_key for session in known])
    over = [session.pk for session in known if session.session_key not in alive]
    if over:
        UserSession.objects.filter(pk__in=over).delete()
    return [session for session in known if session.session_key in alive]


def _find_alive(user: User, keys: list[str]) -> set[str]:
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    expected = user.get_session_auth_hash()
    return {
        row.session_key
        for row in rows
        if constant_time_compare(row.get_decoded().get(HASH_SESSION_KEY, ""), expected)
    }


def end_session(*, user: User, session_id: int) -> bool:
    """Whether there was such a session of this person."""
    session = UserSession.objects.filter(user=user, pk=session_id).first()
    if session is None:
        return False
    _end([session.session_key])
    return True


def end_sessions(*, user: User, except_key: str | None = None) -> int:
    """All of a person's, but for the one with the key. How many there were."""
    known = UserSession.objects.filter(user=user).exclude(session_key=except_key)
    return _end(list(known.values_list("session_key", flat=True)))


@transaction.atomic
def _end(keys: list[str]) -> int:
    for session in Session.objects.filter(session_key__in=keys):
        session.delete()
    UserSession.objects.filter(session_key__in=keys).delete()
    return len(keys)
