"""Making a copy of somebody's data: asked for by a row, made by a worker, removed after a while."""

import logging
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from marketplace.privacy import conf, files
from marketplace.privacy.models import DataExport
from marketplace.privacy.refusals import Refused
from marketplace.privacy.services.archive import write_archive
from marketplace.privacy.services.sections import count_records
from notifications.failures import describe_failure

logger = logging.getLogger(__name__)

# Renewed with every note of the progress, which comes at least this many records or seconds apart.
CLAIMED_FOR = timedelta(minutes=2)
NOTED_EVERY_RECORDS = 500
NOTED_EVERY_SECONDS = 2.0
MOST_ATTEMPTS = 5


class LostClaim(Exception):
    """The row is another worker's, or gone: this one stops without a trace."""


def request_export(*, user: User) -> DataExport:
    """The open export of this person, or a new one. Raises Refused after too many in a day."""
    since = timezone.now() - timedelta(days=1)
    if existing := find_open(user=user):
        return existing
    if DataExport.objects.filter(user=user, requested_at__gt=since).count() >= conf.EXPORTS_PER_DAY:
        raise Refused(_("You have asked for this often today. Ask again tomorrow."))
    try:
        with transaction.atomic():
            return DataExport.objects.create(user=user)
    except IntegrityError:  # Two requests at once: the constraint lets one of them in.
        return DataExport.objects.get(user=user, state__in=DataExport.OPEN_STATES)


def find_open(*, user: User) -> DataExport | None:
    return DataExport.objects.filter(user=user, state__in=DataExport.OPEN_STATES).first()


def due_exports(*, now: datetime) -> QuerySet[DataExport]:
    """Waiting, or in the hands of a worker that has not been heard of for too long."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    return DataExport.objects.filter(free, state__in=DataExport.OPEN_STATES)


def make_export(*, export_id: UUID) -> None:
    """Make one copy, if it is waiting or its worker was lost. Another's is left alone."""
    claim = _claim(export_id)
    if claim is None:
        return
    export = claim.export
    if export.attempts > MOST_ATTEMPTS:  # Each of its workers has died of it.
        claim.give_up_or_wait()
        return
    try:
        claim.make()
    except LostClaim:
        logger.info("Export %s is another worker's, or its person is gone.", export.pk)
    except Exception as error:  # Whatever it was: the row stays and is tried again.
        logger.error(
            "Export %s, attempt %d: %s", export.pk, export.attempts, describe_failure(error)
        )
        claim.give_up_or_wait()


def _claim(export_id: UUID) -> "_Claim | None":
    now = timezone.now()
    until = now + CLAIMED_FOR
    changed = (
        due_exports(now=now)
        .filter(pk=export_id)
        .update(
            state=DataExport.State.WORKING,
            claimed_until=until,
            attempts=F("attempts") + 1,
            records_done=0,
        )
    )
    if not changed:
        return None
    export = DataExport.objects.select_related("user").get(pk=export_id)
    files.remove(export.file_name)  # What a worker that was killed has left.
    return _Claim(export)


class _Claim:
    """An export while it is this worker's: `claimed_until` is also the key to it."""

    def __init__(self, export: DataExport) -> None:
        self.export = export
        self.noted_at = time.monotonic()

    def make(self) -> None:
        export = self.export
        name = files.make_name()
        self._save(records_total=count_records(user=export.user), file_name=name)
        path = files.path_of(name)
        with files.create_private(path) as target:
            self._write(target)
        try:
            self._finish(path)
        except LostClaim:
            path.unlink(missing_ok=True)
            raise

    def _write(self, target: BinaryIO) -> None:
        for done in write_archive(target, user=self.export.user):
            late = time.monotonic() - self.noted_at > NOTED_EVERY_SECONDS
            if done % NOTED_EVERY_RECORDS == 0 or late:
                self._save(records_done=done)

    def _finish(self, path: Path) -> None:
        now = timezone.now()
        self._save(
            state=DataExport.State.READY,
            file_size=path.stat().st_size,
            ready_at=now,
            expires_at=now + conf.retain_exports(),
        )
        DataExport.objects.filter(pk=self.export.pk).update(claimed_until=None)

    def give_up_or_wait(self) -> None:
        """Some failures pass: a disk that was full, a database that was away."""
        last = self.export.attempts >= MOST_ATTEMPTS
        wait = timedelta(seconds=10 * 2**self.export.attempts)
        files.remove(self.export.file_name)
        self._mine().update(
            state=DataExport.State.FAILED if last else DataExport.State.WAITING,
            claimed_until=None if last else timezone.now() + wait,
        )

    def _save(self, **fields: Any) -> None:
        """Note something and keep the claim. Raises LostClaim."""
        until = timezone.now() + CLAIMED_FOR
        if not self._mine().update(claimed_until=until, **fields):
            raise LostClaim
        self.export.claimed_until = until
        self.export.file_name = fields.get("file_name", self.export.file_name)
        self.noted_at = time.monotonic()

    def _mine(self) -> QuerySet[DataExport]:
        return DataExport.objects.filter(
            pk=self.export.pk,
            state=DataExport.State.WORKING,
            claimed_until=self.export.claimed_until,
        )


def remove_expired(*, now: datetime, limit: int = 100) -> int:
    """Files that are kept no longer; how many went."""
    rows = DataExport.objects.filter(state=DataExport.State.READY, expires_at__lte=now)
    expired = list(rows.order_by("expires_at")[:limit])
    for export in expired:
        files.remove(export.file_name)
        DataExport.objects.filter(pk=export.pk).update(
            state=DataExport.State.EXPIRED, file_name="", file_size=0
        )
    return len(expired)


def remove_exports_of(*, user: User) -> int:
    """Every copy of somebody's data, the one that is being made right now among them."""
    exports = list(DataExport.objects.filter(user=user))
    for export in exports:
        files.remove(export.file_name)
        export.delete()
    return len(exports)
