"""What Celery runs. Tasks are wake-ups: everything they do is found in rows, by any of them."""

import logging
from functools import partial
from typing import Any
from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from marketplace.privacy.services.erasure import due_erasures, erase
from marketplace.privacy.services.export import due_exports, make_export, remove_expired
from marketplace.privacy.services.mail import mail_export, unmailed_exports
from marketplace.privacy.services.retention import apply_retention
from marketplace.privacy.services.turns import is_busy
from notifications import failpoints
from notifications.failures import describe_failure

logger = logging.getLogger(__name__)

AT_ONCE = 20
# A wake-up that was not read for so long is worth nothing: the sweep has sent another.
WAKE_UP_EXPIRES = 60
# Longer than any account takes. A claim, which lapses after minutes, finds a stuck worker sooner.
LONGEST_SECONDS = 6 * 3600
RETENTION_SECONDS = 45


@shared_task(name="privacy.find_work", ignore_result=True)
def find_work() -> None:
    """Every few seconds: whatever is open and in nobody's hands is handed to workers."""
    now = timezone.now()
    wake_next()
    for export in unmailed_exports(now=now).order_by("ready_at")[:AT_ONCE]:
        mail_export(export_id=export.pk)
    remove_expired(now=now)


def wake_next() -> None:
    """The job that is next, unless one is being done: mails are sent by the same threads, and must
    not wait for hours of these. Whoever failed comes after those who did not."""
    if is_busy():
        return
    now = timezone.now()
    if row := due_erasures(now=now).order_by("attempts", "requested_at").first():
        wake(erase_account, row.pk)
    elif export := due_exports(now=now).order_by("attempts", "requested_at").first():
        wake(export_data, str(export.pk))


@shared_task(
    name="privacy.export_data",
    ignore_result=True,
    time_limit=LONGEST_SECONDS,
    soft_time_limit=LONGEST_SECONDS,
)
def export_data(export_id: str) -> None:
    make_export(export_id=UUID(export_id), in_turn=True)
    mail_export(export_id=UUID(export_id))
    wake_next()


@shared_task(
    name="privacy.erase_account",
    ignore_result=True,
    time_limit=LONGEST_SECONDS,
    soft_time_limit=LONGEST_SECONDS,
)
def erase_account(erasure_id: int) -> None:
    if erase(erasure_id=erasure_id, in_turn=True):
        wake_next()


@shared_task(name="privacy.apply_retention", ignore_result=True)
def delete_what_is_old() -> None:
    """Once a day."""
    counts = apply_retention(seconds=RETENTION_SECONDS)
    logger.info("Kept no longer: %s", counts)


def wake_on_commit(task: Any, key: Any) -> None:
    """Robust: nothing that goes wrong with the broker may look like a failed request."""
    transaction.on_commit(partial(_wake_committed, task, key), robust=True)


def _wake_committed(task: Any, key: Any) -> None:
    failpoints.reach("privacy.committed")
    wake(task, key)


def wake(task: Any, key: Any) -> None:
    try:
        task.apply_async((key,), expires=WAKE_UP_EXPIRES)
    except OperationalError as error:
        logger.error("The broker takes no wake-ups: %s", describe_failure(error))
