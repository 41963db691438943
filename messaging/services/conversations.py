"""Opening a conversation: with its participants and its first message, or not at all."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from messaging import conf, policies, rate_limits
from messaging.exceptions import MessagingError, NotFound, RateLimited
from messaging.models import Conversation, Participant, Role
from messaging.people import display_name, is_new_account
from messaging.services.attempts import attempt
from messaging.services.drafts import Draft, Receipt
from messaging.services.messages import publish_recorded
from messaging.services.names import as_lines
from messaging.services.participants import return_to_conversation
from messaging.services.record import record
from messaging.services.retries import answer_stored
from messaging.sessions import SessionStamp
from notifications import failpoints

PER_HOUR = 10
PER_DAY = 30
PER_DAY_WHEN_NEW = 5


def start_conversation(
    *,
    listing: Any,
    buyer: Any,
    body: str,
    client_message_id: UUID,
    session: SessionStamp | None = None,
) -> Receipt:
    """Open the buyer's conversation about a listing, or continue it, and store the message.

    Raises Invalid for one's own listing, Forbidden for what is no longer for sale, and whatever
    refuses the message; a conversation that would be empty then is not left behind.
    """
    question = _Question(listing, buyer, body, client_message_id, session)
    try:
        release = rate_limits.take_send(buyer.pk)
    except RateLimited as refusal:  # A retry of what is stored is answered all the same.
        return _answer_stored(question, refusal)
    try:
        receipt = attempt(lambda: _start(question))
    except MessagingError:
        release()
        raise
    failpoints.reach("conversations.committed")
    if receipt.duplicate:
        release()
    return receipt


@dataclass(frozen=True, slots=True)
class _Question:
    """What a buyer says about a listing, whether or not there is a conversation yet."""

    listing: Any
    buyer: Any
    body: str
    client_message_id: UUID
    session: SessionStamp | None

    def find_conversation_id(self) -> UUID | None:
        return find_conversation_id(listing=self.listing, buyer=self.buyer)

    def draft(self, conversation_id: UUID) -> Draft:
        return Draft(
            conversation_id=conversation_id,
            user_id=self.buyer.pk,
            body=self.body,
            client_message_id=self.client_message_id,
            name=display_name(self.buyer),
            session=self.session,
        )


def _answer_stored(question: _Question, refusal: MessagingError) -> Receipt:
    conversation_id = question.find_conversation_id()
    if conversation_id is None:
        raise refusal
    return answer_stored(question.draft(conversation_id), refusal=refusal)


@transaction.atomic
def _start(question: _Question) -> Receipt:
    listing, buyer = question.listing, question.buyer
    conversation_id = question.find_conversation_id()
    if conversation_id is None:
        conversation_id = _open(listing, buyer)
    draft = question.draft(conversation_id)
    recorded = record([draft])
    if isinstance(recorded.outcomes[0], NotFound):
        # They had left. A retry of what is stored has been answered above and brings nobody back.
        policies.check_can_ask(listing=listing, user=buyer)
        return_to_conversation(user=buyer, conversation_id=conversation_id)
        recorded = record([draft])
    return publish_recorded(recorded)


def find_conversation_id(*, listing: Any, buyer: Any) -> UUID | None:
    found = Conversation.objects.filter(listing_id=listing.pk, buyer_id=buyer.pk)
    return found.values_list("pk", flat=True).first()


def _open(listing: Any, buyer: Any) -> UUID:
    policies.check_can_ask(listing=listing, user=buyer)
    # One at a time per buyer: two requests at once must not both pass the limit, nor both open.
    get_user_model()._default_manager.select_for_update(no_key=True).get(pk=buyer.pk)
    existing = find_conversation_id(listing=listing, buyer=buyer)
    if existing is not None:
        return existing
    _check_limits(buyer)
    conversation = Conversation.objects.create(
        listing_id=listing.pk,
        listing_title=str(listing.title)[:200],
        buyer_id=buyer.pk,
        seller_id=listing.seller_id,
        names=as_lines(display_name(user) for user in (buyer, listing.seller)),
    )
    Participant.objects.bulk_create(
        [
            _place(conversation, buyer, Role.BUYER),
            _place(conversation, listing.seller, Role.SELLER),
        ]
    )
    return conversation.pk


def _place(conversation: Conversation, user: Any, role: Role) -> Participant:
    return Participant(
        conversation=conversation, user_id=user.pk, role=role.value, name=display_name(user)
    )


def _check_limits(buyer: Any) -> None:
    """So many new conversations an hour and a day, counted in the database."""
    if not conf.send_limits():
        return
    per_day = PER_DAY_WHEN_NEW if is_new_account(buyer) else PER_DAY
    now = timezone.now()
    moments = list(
        Conversation.objects.filter(buyer_id=buyer.pk, created_at__gt=now - timedelta(days=1))
        .order_by("-created_at")
        .values_list("created_at", flat=True)[:PER_DAY]
    )
    for count, period in ((PER_HOUR, timedelta(hours=1)), (per_day, timedelta(days=1))):
        if len(moments) >= count and moments[count - 1] > now - period:
            wait = moments[count - 1] + period - now
            raise RateLimited(
                _("You have asked about many things lately. Please wait before asking more."),
                retry_after=math.ceil(wait.total_seconds()),
            )
