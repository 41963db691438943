"""Forgetting a person. The row says that it is to be done; every part can be done again, so that
whoever is stopped in the middle is followed by somebody who finishes.

It begins at once and cannot be taken back. A time for second thoughts would mean keeping all of
somebody who has asked to be forgotten, in an account of yet another state; what protects people
from a mistake is their password and their own address, typed once more.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from marketplace.listings import erasure as listings
from marketplace.listings.receivers import delete_files
from marketplace.privacy import conf
from marketplace.privacy.models import Erasure
from marketplace.privacy.refusals import Refused
from marketplace.privacy.services import traces
from marketplace.privacy.services.export import remove_exports_of
from marketplace.privacy.services.turns import claiming
from messaging.services import erasure as messaging
from notifications.failures import describe_failure
from notifications.services import erasure as notifications

logger = logging.getLogger(__name__)
security_log = logging.getLogger("marketplace.security")

CLAIMED_FOR = timedelta(minutes=5)


@transaction.atomic
def request_erasure(*, user: User, blank_texts: bool | None = None) -> Erasure:
    """Close the account for good and note that it is to be erased. Raises Refused.

    Nobody can sign in to it from here on, and nothing can be written from it.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_staff or user.is_superuser:
        raise Refused(
            _("This account is of the staff. Another of the staff must change that first.")
        )
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "password"])
    security_log.info("erasure asked for", extra={"details": {"user": user.pk}})
    blanks = conf.blanks_texts() if blank_texts is None else blank_texts
    return Erasure.objects.get_or_create(user_key=str(user.pk), defaults={"blank_texts": blanks})[0]


def due_erasures(*, now: datetime) -> QuerySet[Erasure]:
    """To be done, or begun by a worker that has not been heard of for too long."""
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    return Erasure.objects.filter(free, finished_at__isnull=True)


def erase(*, erasure_id: int, in_turn: bool = False) -> bool:
    """Do all of one erasure, if it is due and, with `in_turn`, no other long job is being done.

    False: it was not, or it failed and is tried again.
    """
    with claiming(in_turn=in_turn) as may_claim:
        if not may_claim or not _claim(erasure_id):
            return False
    erasure = Erasure.objects.get(pk=erasure_id)
    try:
        _erase_all(erasure)
    except Exception as error:  # Whatever it was: the row stays, and the claim lapses.
        logger.error(
            "Erasure %s, attempt %d: %s", erasure.pk, erasure.attempts, describe_failure(error)
        )
        Erasure.objects.filter(pk=erasure_id).update(is_working=False)
        return False
    logger.info("Account %s is erased.", erasure.user_key)
    security_log.info("account erased", extra={"details": {"user": int(erasure.user_key)}})
    return True


def _claim(erasure_id: int) -> bool:
    now = timezone.now()
    return bool(
        due_erasures(now=now)
        .filter(pk=erasure_id)
        .update(claimed_until=now + CLAIMED_FOR, is_working=True, attempts=F("attempts") + 1)
    )


def _erase_all(erasure: Erasure) -> None:
    _remove_files(erasure)  # Those of an attempt that ended between its rows and its files.
    user = User.objects.filter(pk=erasure.user_key).first()
    if user is not None:
        _end_sessions(erasure)
        _count(erasure, {"exports": remove_exports_of(user=user)})
        _count(erasure, {"staff_log": traces.forget_in_staff_log(user=user)})
        _count(erasure, messaging.erase_person(user=user, blank_texts=erasure.blank_texts))
        _count(erasure, notifications.erase_person(user=user))
        while _erase_some_listings(erasure, user):
            pass
        traces.forget_tries(user=user)
        # Addresses, authenticators, social accounts and what else belongs to the account alone.
        user.delete()
    erasure.finished_at, erasure.claimed_until = timezone.now(), None
    erasure.is_working = False
    erasure.save(update_fields=["finished_at", "claimed_until", "is_working", "counts"])


def _end_sessions(erasure: Erasure) -> None:
    """Of everybody who waits to be erased, in one pass: it looks through all sessions there are."""
    if "sessions" in erasure.counts:
        return  # A pass for somebody else has done it.
    others = [row for row in due_erasures(now=timezone.now()) if "sessions" not in row.counts]
    numbers = [erasure.user_key, *(row.user_key for row in others)]
    people = User.objects.filter(pk__in=numbers)
    ended = traces.end_sessions(users=people, after_each=lambda: _count(erasure, {}))
    _count(erasure, {"sessions": ended[erasure.user_key]})
    for row in others:
        _count_for_another(row, ended[row.user_key])


def _count_for_another(row: Erasure, sessions: int) -> None:
    """Unless somebody has begun with it in the meantime."""
    untouched = Erasure.objects.filter(pk=row.pk, attempts=row.attempts, is_working=False)
    untouched.update(counts={**row.counts, "sessions": sessions})


def _erase_some_listings(erasure: Erasure, user: User) -> int:
    with transaction.atomic():
        count, erasure.files = listings.erase_some(user=user)
        erasure.save(update_fields=["files"])
    _remove_files(erasure)
    _count(erasure, {"listings": count, "files": 0})
    return count


def _remove_files(erasure: Erasure) -> None:
    """After the commit that took their rows. Their names were kept in that same commit."""
    if erasure.files:
        delete_files(erasure.files)
        erasure.counts["files"] = erasure.counts.get("files", 0) + len(erasure.files)
        erasure.files = []
        erasure.save(update_fields=["files", "counts"])


def _count(erasure: Erasure, counts: dict[str, Any]) -> None:
    """Add to what has gone, and keep the claim."""
    for name, count in counts.items():
        erasure.counts[name] = erasure.counts.get(name, 0) + count
    erasure.claimed_until = timezone.now() + CLAIMED_FOR
    erasure.save(update_fields=["counts", "claimed_until"])
