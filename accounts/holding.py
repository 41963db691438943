"""What is changed in a session is committed before the session ends, or not at all.

Whoever is signed in is known from the beginning of the request; by the time something is written
their session may be over, their account closed or its password another. So whatever changes an
account holds both rows until it has committed, people before sessions.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.sessions import is_hash_of

View = Callable[..., HttpResponseBase]
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


@contextmanager
def in_session(request: HttpRequest) -> Iterator[User]:
    """A transaction in which whoever is signed in stays so. Gives them as they are now."""
    with transaction.atomic():
        yield hold_session(request)


def hold_session(request: HttpRequest) -> User:
    """In a transaction: nobody ends the session or closes the account until it has committed.

    Raises ImmediateHttpResponse, which leads to log-in, where that has happened already.
    """
    person = hold_person(user_id=request.user.pk)
    if person is None or not _is_alive(request, person):
        raise ImmediateHttpResponse(redirect_to_login(reverse("accounts:overview")))
    return person


def hold_person(*, user_id: Any) -> User | None:
    """In a transaction: the person as they are now, until it has committed. None for who is not
    active."""
    people = User.objects.select_for_update(no_key=True)
    return people.filter(pk=user_id, is_active=True).first()


def _is_alive(request: HttpRequest, person: User) -> bool:
    rows = Session.objects.select_for_update(no_key=True).filter(expire_date__gt=timezone.now())
    opened_with = request.session.get(HASH_SESSION_KEY, "")
    is_there = rows.filter(session_key=request.session.session_key).first() is not None
    return is_there and is_hash_of(person, opened_with)


def committed_in_session(view: View, *, safe_methods: Collection[str] = SAFE_METHODS) -> View:
    """For views of allauth's, which ask for passwords and codes before they write: holding the
    rows from the beginning would let everybody wait who writes to the same person. So they are
    held at the end; if the session is over by then, nothing has happened and no mail goes."""

    @wraps(view)
    def held(request: HttpRequest, *args: Any, **options: Any) -> HttpResponseBase:
        if request.method in safe_methods or not request.user.is_authenticated:
            return view(request, *args, **options)
        key = request.session.session_key
        mails: list[Callable[[], None]] = []
        request.mails_after_commit = mails  # type: ignore[attr-defined]
        with transaction.atomic():
            response = view(request, *args, **options)
            if request.session.session_key == key:  # Else the view itself has ended it.
                hold_session(request)
        for send in mails:
            send()
        return response

    return held
