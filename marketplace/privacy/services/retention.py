"""What is kept no longer than the settings say, deleted in batches that can be stopped anywhere."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from marketplace.privacy import conf, files
from marketplace.privacy.models import DataExport
from marketplace.privacy.services import export
from messaging.services import retention as messaging
from messaging.services import sessions
from notifications.services import retention as notifications

BATCH = 1000
# Rows that only say that there was an export once; the limit on asking looks back one day.
ENDED_EXPORTS = timedelta(days=30)
STRAY_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of thing: how many are due, and what deletes some of them and says how many."""

    name: str
    count: Callable[[], int]
    delete_some: Callable[[], int]


def list_rules(*, now: datetime) -> list[Rule]:
    """The rules that are in force; what is kept for ever has none."""
    rules = [
        Rule(
            "sessions", Session.objects.filter(expire_date__lt=now).count, sessions.delete_expired
        ),
        Rule("exports", _expired(now).count, partial(export.remove_expired, now=now)),
        _rows("export_requests", _ended(now)),
        Rule("export_files", lambda: len(_stray(now)), lambda: _remove_stray(now)),
        Rule("abandoned_conversations", messaging.count_abandoned, messaging.delete_abandoned),
    ]
    if kept := conf.retain_notifications():
        rules.append(_old_notifications(now - kept))
    if kept := conf.retain_closed_conversations():
        rules.append(_closed_conversations(now - kept))
    return rules


def count_due() -> dict[str, int]:
    """What `apply_retention` would delete now."""
    return {rule.name: rule.count() for rule in list_rules(now=timezone.now())}


def apply_retention(*, seconds: float) -> dict[str, int]:
    """Delete what is due, for about so long; the rest is for the next time. How many of each."""
    ends_at = time.monotonic() + seconds
    return {rule.name: _apply(rule, ends_at=ends_at) for rule in list_rules(now=timezone.now())}


def _apply(rule: Rule, *, ends_at: float) -> int:
    gone = 0
    while time.monotonic() < ends_at:
        deleted = rule.delete_some()
        gone += deleted
        if not deleted:
            break
    return gone


def _rows(name: str, rows: QuerySet[Any]) -> Rule:
    def delete_some() -> int:
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        return int(rows.model._default_manager.filter(pk__in=keys).delete()[0])

    return Rule(name, rows.count, delete_some)


def _old_notifications(before: datetime) -> Rule:
    return Rule(
        "notifications",
        partial(notifications.count_old, before=before),
        partial(notifications.delete_old, before=before, batches=1),
    )


def _closed_conversations(before: datetime) -> Rule:
    return Rule(
        "closed_conversations",
        partial(messaging.count_closed, before=before),
        partial(messaging.delete_closed, before=before),
    )


def _expired(now: datetime) -> QuerySet[DataExport]:
    return DataExport.objects.filter(state=DataExport.State.READY, expires_at__lte=now)


def _ended(now: datetime) -> QuerySet[DataExport]:
    ended = (DataExport.State.EXPIRED, DataExport.State.FAILED)
    return DataExport.objects.filter(state__in=ended, requested_at__lt=now - ENDED_EXPORTS)


def _stray(now: datetime) -> list[str]:
    """Files that no row knows: of a process that died, or of a database that was restored."""
    oldest = (now - STRAY_AFTER).timestamp()
    old = [name for name, changed_at in files.list_names() if changed_at < oldest]
    known = set(DataExport.objects.filter(file_name__in=old).values_list("file_name", flat=True))
    return [name for name in old if name not in known]


def _remove_stray(now: datetime) -> int:
    stray = _stray(now)
    for name in stray:
        files.remove(name)
    return len(stray)
