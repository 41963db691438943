"""Many conversations and long ones, made as quickly as tests need them."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.db.models import F
from django.utils import timezone

from messaging import rate_limits
from messaging.models import Conversation, Message, Participant
from messaging.services.conversations import start_conversation
from messaging.services.drafts import Draft, Receipt
from messaging.services.record import record
from tests import cast
from tests.cast import make_person


def make_listing(seller: Any, title: str, **fields: Any) -> Any:
    """Of the site that the tests stand in; its address is its title with hyphens."""
    return cast.make_listing(seller, title, **fields)


def ask(listing: Any, buyer: Any, body: str = "Is it still there?") -> Conversation:
    """Open a conversation, whatever the limits on sending."""
    rate_limits.forget_all()
    receipt = start_conversation(listing=listing, buyer=buyer, body=body, client_message_id=uuid4())
    return Conversation.objects.get(pk=receipt.conversation_id)


def make_conversations(seller: Any, count: int) -> list[Conversation]:
    """Of one seller, each with a buyer and a listing of its own, oldest first."""
    first = Conversation.objects.count()
    return [
        ask(
            make_listing(seller, f"Chair number {number}"),
            make_person(f"Buyer{number}"),
            f"Is chair {number} still there?",
        )
        for number in range(first, first + count)
    ]


def draft_of(user: Any, conversation: Conversation, body: str = "Hello", **fields: Any) -> Draft:
    fields = {"client_message_id": uuid4(), **fields}
    return Draft(conversation_id=conversation.pk, user_id=user.pk, body=body, **fields)


def record_many(user: Any, conversation: Conversation, bodies: Sequence[str]) -> list[Receipt]:
    """Messages of one person in one batch."""
    outcomes = record([draft_of(user, conversation, body) for body in bodies]).outcomes
    receipts = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
    assert len(receipts) == len(bodies), outcomes
    return receipts


def add_system_message(conversation: Conversation, body: str) -> Message:
    """What happened to the listing: nobody's message, with a sequence and a revision."""
    Conversation.objects.filter(pk=conversation.pk).update(
        last_sequence=F("last_sequence") + 1, revision=F("revision") + 1
    )
    conversation.refresh_from_db()
    return Message.objects.create(
        conversation=conversation,
        sequence=conversation.last_sequence,
        created_revision=conversation.revision,
        revision=conversation.revision,
        kind=Message.Kind.SYSTEM,
        body=body,
        created_at=timezone.now(),
    )


def place_of(user: Any, conversation: Conversation) -> Participant:
    return Participant.objects.get(user=user, conversation=conversation)


def change_place(user: Any, conversation: Conversation, **fields: Any) -> None:
    Participant.objects.filter(user=user, conversation=conversation).update(**fields)
