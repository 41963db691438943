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
from marketplace.privacy.services.turns import claiming
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
    """The open export of this person, or a new one. Raises Refused after too many in a day, and
    where there is no room for one."""
    since = timezone.now() - timedelta(days=1)
    if existing := find_open(user=user):
        return existing
    if DataExport.objects.filter(user=user, requested_at__gt=since).count() >= conf.EXPORTS_PER_DAY:
        raise Refused(_("You have asked for this often today. Ask again tomorrow."))
    if not files.has_room():
        logger.error("No room for copies of people's data.")
        raise Refused(_("There is no room for a copy just now. Ask again tomorrow."))
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


def make_export(*, export_id: UUID, in_turn: bool = False) -> None:
    """Make one copy, if it is waiting or its worker was lost, and if, with `in_turn`, no other long
    job is being done. Another's is left alone."""
    with claiming(in_turn=in_turn) as may_claim:
        claim = _claim(export_id) if may_claim else None
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
    return _Claim(export)


class _Claim:
    """An export while it is this worker's: `claimed_until` is also the key to it."""

    def __init__(self, export: DataExport) -> None:
        self.export = export
        self.noted_at = time.monotonic()

    def make(self) -> None:
        export = self.export
        files.remove(export.file_name)  # What a worker that was killed has left.
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
        _remove_ready(DataExport.objects.filter(user=self.export.user).exclude(pk=self.export.pk))

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
    return _remove_ready(DataExport.objects.filter(expires_at__lte=now), limit=limit)


def _remove_ready(rows: QuerySet[DataExport], *, limit: int = 100) -> int:
    ready = list(rows.filter(state=DataExport.State.READY).order_by("expires_at")[:limit])
    for export in ready:
        files.remove(export.file_name)
        DataExport.objects.filter(pk=export.pk).update(
            state=DataExport.State.EXPIRED, file_name="", file_size=0
        )
    return len(ready)


def remove_exports_of(*, user: User) -> int:
    """Every copy of somebody's data, the one that is being made right now among them."""
    exports = list(DataExport.objects.filter(user=user))
    for export in exports:
        files.remove(export.file_name)
        export.delete()
    return len(exports)
