"""What is due becomes a Notification with its Delivery, once per burst and person."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, transaction
from django.utils import timezone

from notifications import conf, failpoints, policies, trail
from notifications.failures import describe_failure
from notifications.models import Delivery, Notification
from notifications.selectors import find_latest_ids, open_deliveries
from notifications.sources import Due, Owed, Source, Subject
from notifications.text import single_line

logger = logging.getLogger(__name__)

HELD_MILLISECONDS = 100  # For a row that somebody else holds, while many are held here.


def notify_due(*, source: Source, limit: int) -> int:
    """Claim what a source has due and notify of all of it; answers how much there was.

    One recipient whose notification fails holds up nobody: then each is notified alone, and that
    one is logged, not settled, and comes again when the source's claim lapses.
    """
    dues = source.claim_due(now=timezone.now(), limit=limit)
    if not dues:
        return 0
    try:
        _notify_and_settle(source, dues)
    except Exception as error:  # One bad recipient must not cost the others theirs.
        logger.warning("Notifying %d at once: %s", len(dues), describe_failure(error))
        for due in dues:
            _notify_alone(source, due)
    return len(dues)


def _notify_alone(source: Source, due: Due) -> None:
    try:
        _notify_and_settle(source, [due])
    except Exception as error:
        logger.error(
            "Notifying %s about %s %s: %s",
            due.recipient_id,
            source.name,
            due.key,
            describe_failure(error),
        )


def _notify_and_settle(source: Source, dues: Sequence[Due]) -> None:
    look_again = notify(source=source, dues=dues)
    failpoints.reach("notify.written")
    source.settle(look_again)
    failpoints.reach("notify.settled")


def notify(*, source: Source, dues: Sequence[Due]) -> Mapping[Due, datetime | None]:
    """Write the one Notification of each burst, or let an unsent one grow by it: in a fixed number
    of statements, whatever their number.

    Answers when the source has to be asked about each again, or None: the rows written here say
    the rest. A second worker with the same burst finds the first one's row.
    """
    found = _look(source, dues)
    with transaction.atomic():
        if len(dues) > 1:
            _wait_briefly()
        return _Batch(source, found).run()


def _wait_briefly() -> None:
    """Whose row somebody else holds comes alone, later: all the others' are held meanwhile, and
    nobody could write to them."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {HELD_MILLISECONDS}")


def _look(source: Source, dues: Sequence[Due]) -> list[tuple[Due, Owed, Subject]]:
    """No title and no URL for recipients who have lost the right to them."""
    looked = list(zip(dues, source.look(dues), strict=True))
    shown = [due for due, owed in looked if owed.state not in ("gone", "left")]
    subjects = dict(zip(shown, source.subjects(shown), strict=True)) if shown else {}
    return [(due, owed, subjects.get(due, Subject("", ""))) for due, owed in looked]


class _Batch:
    """The working state of one call of `notify`, within its transaction."""

    def __init__(self, source: Source, found: Sequence[tuple[Due, Owed, Subject]]) -> None:
        self._source, self._found = source, found
        self._dues = [due for due, _, _ in found]
        self._now = timezone.now()
        self._look_again: dict[Due, datetime | None] = dict.fromkeys(self._dues)
        self._created: list[tuple[Notification, Delivery]] = []
        self._grown: list[tuple[Notification, Delivery]] = []

    def run(self) -> Mapping[Due, datetime | None]:
        recipients = _lock_recipients({due.recipient_id for due in self._dues})
        latest = find_latest_ids(source=self._source.name, spans=self._dues)
        self._unsent = _lock_unsent(latest)
        # Read once they are held: a mail that was sent meanwhile may have had more in it.
        rows = Notification.objects.in_bulk(latest).values()
        self._latest = {(row.recipient_id, row.key): row for row in rows}
        for due, owed, subject in self._found:
            if due.recipient_id in recipients:
                self._take(due, owed, subject, recipients[due.recipient_id])
        self._write()
        return self._look_again

    def _take(self, due: Due, owed: Owed, subject: Subject, recipient: AbstractBaseUser) -> None:
        latest = self._latest.get((due.recipient_id, due.key))
        if latest is None:
            self._create(due, owed, subject, recipient, due.first_sequence)
        elif latest.last_sequence >= due.last_sequence:
            pass  # A mail that was sent meanwhile included it, or it was decided already.
        elif latest.pk in self._unsent:
            self._grow(due, latest, self._unsent[latest.pk])
        else:
            first_sequence = max(due.first_sequence, latest.last_sequence + 1)
            self._create(due, owed, subject, recipient, first_sequence)

    def _grow(self, due: Due, notification: Notification, delivery: Delivery) -> None:
        if delivery.state == Delivery.State.CLAIMED:
            # It is being sent at this moment, with or without the newest. When that is known, this
            # either joins the next attempt or is a burst of its own.
            self._look_again[due] = self._now + conf.connected_look_again()
            return
        notification.last_sequence = due.last_sequence
        trail.add(delivery.trail, "merged", at=self._now, last_sequence=due.last_sequence)
        self._grown.append((notification, delivery))

    def _create(
        self,
        due: Due,
        owed: Owed,
        subject: Subject,
        recipient: AbstractBaseUser,
        first_sequence: int,
    ) -> None:
        notification = Notification(
            recipient_id=due.recipient_id,
            kind=due.kind,
            source=self._source.name,
            key=due.key,
            url=subject.url[:500],
            title=single_line(subject.title)[:200],
            first_sequence=first_sequence,
            last_sequence=due.last_sequence,
            created_at=self._now,
        )
        delivery = _decide(notification, owed, now=self._now, is_active=recipient.is_active)
        self._created.append((notification, delivery))

    def _write(self) -> None:
        Notification.objects.bulk_create([notification for notification, _ in self._created])
        Delivery.objects.bulk_create([delivery for _, delivery in self._created])
        Notification.objects.bulk_update(
            [notification for notification, _ in self._grown], ["last_sequence"]
        )
        Delivery.objects.bulk_update([delivery for _, delivery in self._grown], ["trail"])


def _lock_recipients(ids: Iterable[Any]) -> Mapping[Any, AbstractBaseUser]:
    """One worker at a time for a person, so that two bursts cannot both miss the other's row."""
    people = get_user_model()._default_manager.select_for_update(no_key=True)
    return {person.pk: person for person in people.filter(pk__in=set(ids)).order_by("pk")}


def _lock_unsent(notification_ids: Sequence[Any]) -> Mapping[Any, Delivery]:
    """By the id of their notification."""
    deliveries = open_deliveries().select_for_update().order_by("pk")
    return {
        row.notification_id: row for row in deliveries.filter(notification__in=notification_ids)
    }


def _decide(notification: Notification, owed: Owed, *, now: datetime, is_active: bool) -> Delivery:
    """The delivery of a new notification, neither of them saved, with what is decided about it."""
    decision = policies.decide(owed, now=now, first_due_at=now)
    if not is_active:
        decision = policies.Decision("cancel", "no_account")
    delivery = Delivery(notification=notification, due_at=decision.until or now, first_due_at=now)
    delivery.message_id = f"<{delivery.pk}@{conf.site_host()}>"
    trail.add(delivery.trail, "created", at=now)
    if decision.what == "cancel":
        notification.cancelled_at = now
        delivery.state = Delivery.State.CANCELLED
        trail.add(delivery.trail, "cancelled", at=now, why=decision.why, detail=owed.detail)
    elif decision.until is not None:
        until = trail.write(decision.until)
        trail.add(delivery.trail, "deferred", at=now, why=decision.why, until=until)
    return delivery
