"""A due delivery is claimed, its source asked once more, and then it is sent, put off or dropped.

No transaction is open while the source is asked or the mail server is spoken to. Whoever claimed
a delivery owns it until `claimed_until`, and that moment is also the key: a worker that was away
for longer finds another value there and changes nothing.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from notifications import failpoints, policies, trail
from notifications.failures import describe_failure
from notifications.models import Delivery
from notifications.policies import Decision
from notifications.recipients import verified_address
from notifications.selectors import first_title
from notifications.sources import Owed, Source, Span, get_source
from notifications.transports import TransportError, email

logger = logging.getLogger(__name__)

# Longer than the slowest sending: every step of it has a deadline of `EMAIL_TIMEOUT`.
CLAIMED_FOR = timedelta(seconds=120)


def deliver(*, delivery_id: UUID) -> None:
    """Do what is due about one delivery. Does nothing when it is not due, or another's."""
    delivery = claim_delivery(delivery_id=delivery_id)
    if delivery is None:
        return
    failpoints.reach("deliver.claimed")
    try:
        _deliver_claimed(delivery)
    except Exception as error:  # Whatever it was, this delivery is tried again and others go on.
        failure = describe_failure(error)
        logger.error("Delivery %s, attempt %d: %s", delivery.pk, delivery.attempts, failure)
        permanent = isinstance(error, TransportError) and error.permanent
        _put_back(delivery, failure=failure, permanent=permanent)


def claim_delivery(*, delivery_id: UUID) -> Delivery | None:
    """Make a due delivery this worker's by a conditional update. None: another was faster."""
    now = timezone.now()
    lapsed = Q(state=Delivery.State.CLAIMED, claimed_until__lte=now)
    due = Delivery.objects.filter(
        Q(state=Delivery.State.PENDING) | lapsed, pk=delivery_id, due_at__lte=now
    )
    claimed = due.update(
        state=Delivery.State.CLAIMED,
        claimed_until=now + CLAIMED_FOR,
        attempts=F("attempts") + 1,
        first_tried_at=Coalesce("first_tried_at", now),
    )
    if not claimed:
        return None
    return Delivery.objects.select_related("notification__recipient").get(pk=delivery_id)


def _deliver_claimed(delivery: Delivery) -> None:
    now = timezone.now()
    if policies.should_give_up(first_tried_at=delivery.first_tried_at, now=now):
        _fail(delivery, why="too_long")
        return
    source = get_source(delivery.notification.source)
    (owed,) = source.look([_span(delivery)])
    decision = policies.decide(owed, now=now, first_due_at=delivery.first_due_at)
    if not delivery.notification.recipient.is_active:
        decision = Decision("cancel", "no_account")
    if decision.what == "cancel":
        _cancel(delivery, why=decision.why, detail=owed.detail, notification=True)
    elif decision.until is not None:
        _defer(delivery, decision.why, decision.until)
    else:
        _send(delivery, source, owed)


def _span(delivery: Delivery) -> Span:
    notification = delivery.notification
    return Span(
        recipient_id=notification.recipient_id,
        key=notification.key,
        first_sequence=notification.first_sequence,
        last_sequence=notification.last_sequence,
    )


def _send(delivery: Delivery, source: Source, owed: Owed) -> None:
    """Send what is unread up to now, so that a message of this second needs no mail of its own."""
    notification = delivery.notification
    address = verified_address(notification.recipient)
    if not address:
        _cancel(delivery, why="no_address")
        return
    last_sequence = max(notification.last_sequence, owed.last_sequence)
    content = source.content(replace(_span(delivery), last_sequence=last_sequence))
    if not any(message.new for message in content.messages):
        # Read or deleted since the source was asked, a moment ago.
        _cancel(delivery, why="nothing_new", notification=True)
        return
    message = email.compose(
        delivery, content, address=address, subject_title=first_title(notification)
    )
    failpoints.reach("deliver.composed")
    if not _claimed(delivery).filter(claimed_until__gt=timezone.now()).exists():
        return  # This process was stopped for too long and another has taken over.
    email.send(message)
    _mark_sent(delivery, last_sequence)
    failpoints.reach("deliver.marked")


def _mark_sent(delivery: Delivery, last_sequence: int) -> None:
    now = timezone.now()
    trail.add(delivery.trail, "sent", at=now, last_sequence=last_sequence)
    with transaction.atomic():
        if _close(delivery, Delivery.State.SENT, sent_at=now):
            notification = delivery.notification
            notification.last_sequence = last_sequence
            notification.save(update_fields=["last_sequence"])
            failpoints.reach("deliver.marking")
        else:
            logger.error("Delivery %s was sent after its claim had lapsed.", delivery.pk)


def _cancel(delivery: Delivery, *, why: str, detail: str = "", notification: bool = False) -> None:
    """Send nothing. With `notification` it is also taken out of every bell."""
    now = timezone.now()
    trail.add(delivery.trail, "cancelled", at=now, why=why, detail=detail)
    with transaction.atomic():
        if _close(delivery, Delivery.State.CANCELLED) and notification:
            delivery.notification.cancelled_at = now
            delivery.notification.save(update_fields=["cancelled_at"])


def _fail(delivery: Delivery, *, why: str) -> None:
    trail.add(delivery.trail, "failed", at=timezone.now(), why=why)
    _close(delivery, Delivery.State.FAILED)


def _defer(delivery: Delivery, why: str, until: datetime) -> None:
    """Nothing has failed: the counting of attempts starts anew."""
    trail.add(delivery.trail, "deferred", at=timezone.now(), why=why, until=trail.write(until))
    _reopen(delivery, due_at=until, attempts=0, first_tried_at=None)


def _put_back(delivery: Delivery, *, failure: str, permanent: bool) -> None:
    now = timezone.now()
    if permanent:
        _fail(delivery, why="refused")
        return
    until = now + policies.back_off(delivery.attempts)
    trail.add(delivery.trail, "retrying", at=now, failure=failure, until=trail.write(until))
    _reopen(delivery, due_at=until)


def _claimed(delivery: Delivery) -> Any:
    """The delivery's row while it is still this worker's."""
    return Delivery.objects.filter(
        pk=delivery.pk, state=Delivery.State.CLAIMED, claimed_until=delivery.claimed_until
    )


def _close(delivery: Delivery, state: Delivery.State, **fields: Any) -> bool:
    changed = _claimed(delivery).update(
        state=state, claimed_until=None, trail=delivery.trail, **fields
    )
    return bool(changed)


def _reopen(delivery: Delivery, **fields: Any) -> None:
    _claimed(delivery).update(
        state=Delivery.State.PENDING, claimed_until=None, trail=delivery.trail, **fields
    )
