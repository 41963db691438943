"""One long job at a time, however many workers there are: copies and erasures take minutes, and
the same threads send the mails."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from marketplace.privacy.models import DataExport, Erasure

LOCK = 7_478_611  # Any number that nothing else in this database locks.


def is_busy() -> bool:
    """Whether a worker that is alive has a job. One that died has it until its claim lapses."""
    claimed = Q(claimed_until__gt=timezone.now())
    return (
        Erasure.objects.filter(claimed, is_working=True).exists()
        or DataExport.objects.filter(claimed, state=DataExport.State.WORKING).exists()
    )


@contextmanager
def claiming(*, in_turn: bool) -> Iterator[bool]:
    """Whether a job may be claimed inside: with `in_turn`, not while there is another.

    Looking and claiming happen under one lock, or two workers would both find nobody at work.
    """
    if not in_turn:
        yield True
        return
    with transaction.atomic():
        _lock()
        yield not is_busy()


def _lock() -> None:
    """Until the end of the transaction. SQLite has one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
