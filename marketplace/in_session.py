"""Writes of the marketplace's own pages, committed before the session ends or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.core.exceptions import ImmediateHttpResponse
from django.db import transaction
from django.http import HttpRequest

from messaging.exceptions import Unauthenticated
from messaging.http import answer_refusal, session_stamp
from messaging.services.holding import require_session


@contextmanager
def in_session(request: HttpRequest) -> Iterator[None]:
    """A transaction in which whoever is signed in stays so. Where they are not any more it raises
    what becomes the answer: log-in, or 401 to who asked for JSON."""
    with transaction.atomic():
        try:
            require_session(request.user.pk, session_stamp(request))
        except Unauthenticated as refusal:
            raise ImmediateHttpResponse(answer_refusal(request, refusal)) from None
        yield
