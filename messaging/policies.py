"""Who may do what. `check_*` raises a refusal, `can_*` answers; nobody else decides."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from messaging import conf
from messaging.exceptions import Forbidden, Invalid, MessagingError, NotFound, Unauthenticated
from messaging.listings import can_be_asked
from messaging.models import Conversation, Message, Participant


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
    if seller is None or not seller.is_active or not can_be_asked(listing):
        raise Forbidden(_("This is no longer for sale, so it cannot be asked about."))


def check_is_own(*, message: Message, participant: Participant) -> None:
    if message.sender_id != participant.pk:
        raise Forbidden(_("You can only change what you have written yourself."))


def check_can_edit(*, message: Message, participant: Participant, now: datetime) -> None:
    """Own messages, for 5 minutes."""
    _check_is_own_and_fresh(message, participant, now, conf.edit_window())


def check_can_delete(*, message: Message, participant: Participant, now: datetime) -> None:
    """Own messages, for 15 minutes."""
    _check_is_own_and_fresh(message, participant, now, conf.delete_window())


def _check_is_own_and_fresh(
    message: Message, participant: Participant, now: datetime, window: timedelta
) -> None:
    check_is_own(message=message, participant=participant)
    if message.deleted_at is not None:
        raise Forbidden(_("This message was deleted."))
    if now - message.created_at > window:
        raise Forbidden(_("It is too late to change this message."))


def check_can_change_participants(*, user: Any, conversation: Conversation) -> None:
    """Who puts people into a conversation and takes them out: the host decides, by the function
    that `MESSAGING_PARTICIPANT_POLICY` names."""
    if not conf.participant_policy()(user=user, conversation=conversation):
        raise Forbidden(_("You cannot change who takes part here."))


def is_staff_for_participants(*, user: Any, conversation: Conversation) -> bool:
    """The default: staff who may change participants."""
    return bool(user.is_active and user.is_staff and user.has_perm("messaging.change_participant"))


def is_staff(user: Any) -> bool:
    """Not every host's user model has the word."""
    return bool(getattr(user, "is_staff", False))


def needs_look(*, user: Any, added_by: Any) -> bool:
    """Whether putting somebody in is a way for staff to read what was said: they themselves, or
    others of the staff."""
    return is_staff(added_by) and (user.pk == added_by.pk or is_staff(user))


def check_can_close(*, user: Any) -> None:
    """Staff who may change conversations close them and open them again."""
    if not (user.is_active and user.is_staff and user.has_perm("messaging.change_conversation")):
        raise Forbidden(_("You cannot close or open conversations."))


def check_can_look(*, user: Any) -> None:
    """Staff who may see conversations and what was said in them."""
    seen = ("messaging.view_conversation", "messaging.view_message")
    if not (user.is_active and user.is_staff and user.has_perms(seen)):
        raise Forbidden(_("You cannot read what was said here."))


def check_can_return(*, place: Participant) -> None:
    """Whoever left by themselves may; whoever was taken out has to be put in again."""
    if place.has_left and place.removed:
        raise Forbidden(_("You no longer take part in this conversation."))


def digest(body: str) -> bytes:
    """Recognises the body a message was first sent with, after it was edited or deleted."""
    return hashlib.sha256(body.encode()).digest()[:16]


def is_same_body(*, body: str, stored_body: str, original_digest: bytes | None) -> bool:
    if original_digest is not None:
        return digest(body) == bytes(original_digest)
    return body == stored_body
