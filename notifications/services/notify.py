"""What is due becomes a Notification with its Delivery, once per burst and person."""

import logging
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications import conf, failpoints, policies, trail
from notifications.failures import describe_failure
from notifications.models import Delivery, Notification
from notifications.selectors import latest_notification
from notifications.sources import Due, Owed, Source
from notifications.text import single_line

logger = logging.getLogger(__name__)


def notify_due(*, source: Source, limit: int) -> int:
    """Claim what a source has due and notify each of it; answers how much there was.

    One recipient whose notification fails holds up nobody: it is logged, not settled, and comes
    again when the source's claim lapses.
    """
    dues = source.claim_due(now=timezone.now(), limit=limit)
    for due in dues:
        try:
            look_again_at = notify(source=source, due=due)
            failpoints.reach("notify.written")
            source.settle(due, look_again_at=look_again_at)
            failpoints.reach("notify.settled")
        except Exception as error:  # One bad recipient must not cost the others theirs.
            logger.error(
                "Notifying %s about %s %s: %s",
                due.recipient_id,
                source.name,
                due.key,
                describe_failure(error),
            )
    return len(dues)


def notify(*, source: Source, due: Due) -> datetime | None:
    """Write the one Notification of a burst, or let an unsent one grow by it.

    Answers when the source has to be asked about this again, or None: the rows written here say
    the rest. A second worker with the same burst finds the first one's row.
    """
    try:
        return _notify_once(source=source, due=due)
    except IntegrityError:
        # Another worker wrote it between the look and the insert: now it is there to be found.
        return _notify_once(source=source, due=due)


def _notify_once(*, source: Source, due: Due) -> datetime | None:
    owed = source.look(
        recipient_id=due.recipient_id,
        key=due.key,
        first_sequence=due.first_sequence,
        last_sequence=due.last_sequence,
    )
    title, url = _subject_of(source, due, owed)
    now = timezone.now()
    with transaction.atomic():
        recipient = _lock_recipient(due.recipient_id)
        if recipient is None:
            return None
        latest = latest_notification(recipient_id=recipient.pk, source=source.name, key=due.key)
        if latest is None:
            first_sequence = due.first_sequence
        elif latest.last_sequence >= due.last_sequence:
            return None  # A mail that was sent meanwhile included it, or it was decided already.
        else:
            unsent = _lock_unsent(latest)
            if unsent is not None:
                return _extend(latest, unsent, due, now)
            # Its mail may have been sent since it was read, and have had more in it.
            latest.refresh_from_db(fields=["last_sequence"])
            if latest.last_sequence >= due.last_sequence:
                return None
            first_sequence = max(due.first_sequence, latest.last_sequence + 1)
        notification = Notification(
            recipient_id=recipient.pk,
            kind=due.kind,
            source=source.name,
            key=due.key,
            url=url[:500],
            title=title[:200],
            first_sequence=first_sequence,
            last_sequence=due.last_sequence,
            created_at=now,
        )
        _create(notification, recipient, owed, now)
    return None


def _subject_of(source: Source, due: Due, owed: Owed) -> tuple[str, str]:
    """Title and URL, unless the recipient has lost the right to them."""
    if owed.state in ("gone", "left"):
        return "", ""
    content = source.content(
        recipient_id=due.recipient_id,
        key=due.key,
        first_sequence=due.first_sequence,
        last_sequence=due.last_sequence,
    )
    return single_line(content.title), content.url


def _lock_recipient(recipient_id: Any) -> AbstractBaseUser | None:
    """One worker at a time for a person, so that two bursts cannot both miss the other's row."""
    people = get_user_model()._default_manager
    return people.select_for_update(no_key=True).filter(pk=recipient_id).first()


def _lock_unsent(notification: Notification) -> Delivery | None:
    deliveries = notification.deliveries.select_for_update()
    return deliveries.filter(state__in=Delivery.OPEN_STATES).first()


def _extend(
    notification: Notification, delivery: Delivery, due: Due, now: datetime
) -> datetime | None:
    if delivery.state == Delivery.State.CLAIMED:
        # It is being sent at this moment, with or without the newest. When that is known, this
        # either joins the next attempt or is a burst of its own.
        return now + conf.connected_look_again()
    notification.last_sequence = due.last_sequence
    notification.save(update_fields=["last_sequence"])
    trail.add(delivery.trail, "merged", at=now, last_sequence=due.last_sequence)
    delivery.save(update_fields=["trail"])
    return None


def _create(
    notification: Notification, recipient: AbstractBaseUser, owed: Owed, now: datetime
) -> None:
    decision = policies.decide(owed, now=now, first_due_at=now)
    if not recipient.is_active:
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
    notification.save()
    delivery.save(force_insert=True)
