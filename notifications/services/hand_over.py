"""Due deliveries are handed to workers: each is named to one of them, for a while."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections, router, transaction
from django.utils import timezone

from notifications import conf, failpoints, policies, trail
from notifications.models import Delivery, Notification
from notifications.selectors import count_handed_over, due_deliveries
from notifications.sources import Owed, registered_sources

# A delivery whose wake-up got lost is handed over again after this long; a worker that reads an
# older wake-up throws it away.
HANDED_OVER_FOR = timedelta(seconds=30)
# At most so many are in workers' queues, so that a slow mail server does not fill the broker.
MOST_HANDED_OVER = 500
MOST_PUT_OFF = 2000


def hand_over_due() -> list[UUID]:
    """Mark due deliveries as handed over, longest due first, and name them.

    Two beats, or two workers of one beat, never get the same one.
    """
    now = timezone.now()
    room = MOST_HANDED_OVER - count_handed_over(now=now)
    if room <= 0:
        return []
    database = router.db_for_write(Delivery)
    skip_locked = connections[database].features.has_select_for_update_skip_locked
    with transaction.atomic(using=database):
        due = due_deliveries(now=now).using(database).select_for_update(skip_locked=skip_locked)
        ids = list(due.values_list("pk", flat=True)[:room])
        # The condition again: where rows cannot be locked, another worker may have been faster.
        # A claim that lapsed ends here: its worker was killed, or has lost it.
        due_deliveries(now=now).using(database).filter(pk__in=ids).order_by().update(
            state=Delivery.State.PENDING, claimed_until=now + HANDED_OVER_FOR
        )
    failpoints.reach("hand_over.committed")
    return ids


def put_off_waiting() -> int:
    """Put off what is due to people who are connected, all of it at once; how many that were.

    A task for each of them every few seconds would be most of what workers do where many people
    are here and have something unread, and mails to who is not would wait behind it.
    """
    now = timezone.now()
    due = due_deliveries(now=now).filter(
        claimed_until__isnull=True, attempts=0, first_due_at__gt=now - conf.connected_owed_after()
    )
    rows = due.select_related("notification__recipient")[:MOST_PUT_OFF]
    waiting = _find_waiting([row.notification for row in rows])
    ids = [row.pk for row in rows if row.notification_id in waiting]
    if not ids:
        return 0
    database = router.db_for_write(Delivery)
    skip_locked = connections[database].features.has_select_for_update_skip_locked
    with transaction.atomic(using=database):
        held = due.using(database).select_for_update(skip_locked=skip_locked).filter(pk__in=ids)
        deliveries = list(held)
        for delivery in deliveries:
            _put_off(delivery, now)
        Delivery.objects.using(database).bulk_update(deliveries, ["due_at", "trail"])
    return len(deliveries)


def _find_waiting(notifications: Iterable[Notification]) -> set[Any]:
    """The ids of those about which their source says so."""
    found = set()
    asked: dict[str, dict[tuple[Any, str], list[Any]]] = {}
    for one in notifications:
        if one.recipient.is_active:
            pairs = asked.setdefault(one.source, {})
            pairs.setdefault((one.recipient_id, one.key), []).append(one.pk)
    for source in registered_sources():
        pairs = asked.get(source.name, {})
        for pair in source.find_waiting(pairs) if pairs else ():
            found.update(pairs[pair])
    return found


def _put_off(delivery: Delivery, now: datetime) -> None:
    owed = Owed("owed", connected=True)
    decision = policies.decide(owed, now=now, first_due_at=delivery.first_due_at)
    assert decision.until is not None
    until = trail.write(decision.until)
    trail.add(delivery.trail, "deferred", at=now, why=decision.why, until=until)
    delivery.due_at = decision.until


def take_back(delivery_ids: Iterable[UUID]) -> None:
    """Deliveries of which no worker could be told are due as they were."""
    with transaction.atomic():
        # In the order in which a sweep locks them, so that neither waits for the other.
        rows = Delivery.objects.filter(pk__in=list(delivery_ids), state=Delivery.State.PENDING)
        held = [row.pk for row in rows.select_for_update().order_by("pk")]
        Delivery.objects.filter(pk__in=held).update(claimed_until=None)
