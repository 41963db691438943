"""Who may do what. `check_*` raises a refusal, `can_*` answers; nobody else decides."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from messaging.exceptions import Forbidden, Invalid, MessagingError, NotFound, Unauthenticated
from messaging.models import Conversation, Message, Participant

EDIT_WINDOW = timedelta(minutes=5)
DELETE_WINDOW = timedelta(minutes=15)


def refuse_writing(
    *, active: bool, left: bool, blocked: bool, alone: bool, state: str
) -> MessagingError | None:
    """Why this participant may not write into this conversation, or None.

    `alone`: nobody with a living account is on the other side.
    """
    if left:
        return NotFound()
    if not active:
        return Unauthenticated()
    if blocked:
        return Forbidden(_("One of you has blocked the other, so no more messages can be sent."))
    if alone:
        return Forbidden(_("The other person is no longer here, so nobody would read this."))
    if state != Conversation.State.OPEN:
        return Forbidden(_("This conversation is closed."))
    return None


def check_can_ask(*, listing: Any, user: Any) -> None:
    """May this person open a conversation about this listing? Own listing: Invalid."""
    if listing.seller_id is not None and listing.seller_id == user.pk:
        raise Invalid(_("This is your own listing, so there is nobody to ask."))
    seller = listing.seller
    if seller is None or not seller.is_active or not listing.can_be_asked:
        raise Forbidden(_("This is no longer for sale, so it cannot be asked about."))


def check_can_edit(*, message: Message, participant: Participant, now: datetime) -> None:
    """Own messages, for 5 minutes."""
    _check_is_own_and_fresh(message, participant, now, EDIT_WINDOW)


def check_can_delete(*, message: Message, participant: Participant, now: datetime) -> None:
    """Own messages, for 15 minutes."""
    _check_is_own_and_fresh(message, participant, now, DELETE_WINDOW)


def _check_is_own_and_fresh(
    message: Message, participant: Participant, now: datetime, window: timedelta
) -> None:
    if message.sender_id != participant.pk or message.deleted_at is not None:
        raise Forbidden(_("You can only change what you have written yourself."))
    if now - message.created_at > window:
        raise Forbidden(_("It is too late to change this message."))


def digest(body: str) -> bytes:
    """Recognises the body a message was first sent with, after it was edited or deleted."""
    return hashlib.sha256(body.encode()).digest()[:16]


def is_same_body(*, body: str, stored_body: str, original_digest: bytes | None) -> bool:
    if original_digest is not None:
        return digest(body) == bytes(original_digest)
    return body == stored_body
