"""Who may do what. `check_*` raises a refusal, `can_*` answers; nobody else decides."""

import hashlib
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from messaging.exceptions import Forbidden, Invalid, MessagingError, NotFound, Unauthenticated
from messaging.models import Conversation, Participant

EDIT_WINDOW = timedelta(minutes=5)
DELETE_WINDOW = timedelta(minutes=15)


def refuse_writing(
    *, is_participant: bool, active: bool, left: bool, blocked: bool, state: str
) -> MessagingError | None:
    """Why this person may not write into this conversation, or None."""
    if not is_participant or left:
        return NotFound()
    if not active:
        return Unauthenticated()
    if blocked:
        return Forbidden(_("One of you has blocked the other, so no more messages can be sent."))
    if state != Conversation.State.OPEN:
        return Forbidden(_("This conversation is closed."))
    return None


def check_can_ask(*, listing: Any, user: Any) -> None:
    """May this person open a conversation about this listing? Own listing: Invalid."""
    if listing.seller_id is not None and listing.seller_id == user.pk:
        raise Invalid(_("This is your own listing, so there is nobody to ask."))
    if listing.seller_id is None or not listing.can_be_asked:
        raise Forbidden(_("This is no longer for sale, so it cannot be asked about."))


def can_see(participant: Participant) -> bool:
    return participant.left_at is None


def digest(body: str) -> bytes:
    """Recognises the body a message was first sent with, after it was edited or deleted."""
    return hashlib.sha256(body.encode()).digest()[:16]


def is_same_body(*, body: str, stored_body: str, original_digest: bytes | None) -> bool:
    if original_digest is not None:
        return digest(body) == bytes(original_digest)
    return body == stored_body
