"""Due deliveries are handed to workers: each is named to one of them, for a while."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import connections, router, transaction
from django.utils import timezone

from notifications import failpoints
from notifications.models import Delivery
from notifications.selectors import count_handed_over, due_deliveries

# A delivery whose wake-up got lost is handed over again after this long; a worker that reads an
# older wake-up throws it away.
HANDED_OVER_FOR = timedelta(seconds=30)
# At most so many are in workers' queues, so that a slow mail server does not fill the broker.
MOST_HANDED_OVER = 500


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


def take_back(delivery_ids: Iterable[UUID]) -> None:
    """Deliveries of which no worker could be told are due as they were."""
    Delivery.objects.filter(pk__in=list(delivery_ids), state=Delivery.State.PENDING).update(
        claimed_until=None
    )
