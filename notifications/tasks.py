"""What Celery runs. Tasks are wake-ups: everything they do is found in rows, by any of them."""

import logging
from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from notifications import failpoints, sources
from notifications.failures import describe_failure
from notifications.models import LastRun
from notifications.services.deliver import deliver
from notifications.services.hand_over import (
    HANDED_OVER_FOR,
    hand_over_due,
    put_off_waiting,
    take_back,
)
from notifications.services.notify import notify_due
from notifications.services.runs import note_run

logger = logging.getLogger(__name__)

BATCH = 100
# Together well within the 60 s for which a source's claim holds, and within the task's time.
BATCHES_PER_SWEEP = 10
# Over Redis a smaller number goes first, and 0 is everybody's: hundreds of mails do not make the
# sweep wait until its own wake-up is too old.
AFTER_OTHERS = 6


@shared_task(name="notifications.tasks.create_notifications", ignore_result=True)
def create_notifications() -> None:
    """Every few seconds: notify who is due, hand due deliveries to workers."""
    note_run(LastRun.SWEEP)
    for source in sources.registered_sources():
        for _batch in range(BATCHES_PER_SWEEP):
            found = notify_due(source=source, limit=BATCH)
            _wake_workers()
            if found < BATCH:
                break
    _wake_workers()
    failpoints.reach("tasks.swept")


@shared_task(name="notifications.tasks.send_notification_email", ignore_result=True)
def send_notification_email(delivery_id: str) -> None:
    """Deliver one due delivery, if it is still due."""
    deliver(delivery_id=UUID(delivery_id))
    failpoints.reach("tasks.delivered")


def _wake_workers() -> None:
    put_off_waiting()
    delivery_ids = hand_over_due()
    for position, delivery_id in enumerate(delivery_ids):
        failpoints.reach("tasks.waking")
        try:
            send_notification_email.apply_async(
                (str(delivery_id),),
                expires=HANDED_OVER_FOR.total_seconds(),
                priority=AFTER_OTHERS,
            )
        except OperationalError as error:
            logger.error("The broker takes no wake-ups: %s", describe_failure(error))
            take_back(delivery_ids[position:])
            return
        failpoints.reach("tasks.woken")
