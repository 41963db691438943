"""Somebody is written to in the very moment in which a worker claims their burst."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from messaging.models import Conversation, Participant
from messaging.notification_source import MessagingSource
from messaging.tests.conversing import say
from messaging.tests.crowd import place_of
from notifications.sources import Due

source = MessagingSource()

# Held by the test: a claim that waits for it has begun to look, and has locked nothing yet.
GATE = 20_260_301
WAITING = f"""
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {GATE} AND NOT granted
"""


def wait_at_the_gate(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    """The claim's own query, which stops between its beginning and its locks."""
    if "SKIP LOCKED" in sql:
        gate = f"pg_advisory_xact_lock_shared({GATE}) IS NOT NULL"
        sql = sql.replace(" WHERE (", f" WHERE ({gate} AND ", 1)
        assert gate in sql
    return execute(sql, *rest)


class Claim(threading.Thread):
    """A worker that comes to claim what is due."""

    dues: list[Due]

    def run(self) -> None:
        try:
            with connection.execute_wrapper(wait_at_the_gate):
                self.dues = source.claim_due(now=timezone.now(), limit=10)
        finally:
            connections.close_all()


def count_waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        return int(cursor.fetchone()[0])


def claim_while(act: Callable[[], Any]) -> list[Due]:
    """`act` between the beginning of the claim's query and its locks. SQLite has one writer at a
    time and no such moment: there it comes before."""
    if connection.vendor != "postgresql":
        act()
        return source.claim_due(now=timezone.now(), limit=10)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [GATE])
        claim = Claim()
        claim.start()
        try:
            deadline = time.monotonic() + 10
            while not count_waiting():
                assert time.monotonic() < deadline, "the claim never came to the gate"
            act()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [GATE])
            claim.join(timeout=10)
    return claim.dues


@pytest.mark.django_db(transaction=True)
def test_a_message_beside_a_claim_is_told_by_it_or_after_it(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    """The cap of the burst is over, so the message leaves its look due at once: the claim takes it,
    and with it the message that made it due."""
    long_due = timezone.now() - timedelta(seconds=5)
    Participant.objects.filter(role="seller").update(notify_at=long_due, notify_by=long_due)
    dues = claim_while(lambda: say(buyer, conversation, "And the other one?"))
    source.settle(dict.fromkeys(dues))
    place = place_of(seller, conversation)
    told = max((due.last_sequence for due in dues), default=0)
    assert told == 2 or place.notify_at is not None
