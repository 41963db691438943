"""Conversations for tests, made as people make them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from messaging import rate_limits
from messaging.models import Conversation
from messaging.people import display_name
from messaging.services.conversations import start_conversation
from messaging.services.drafts import Receipt
from messaging.services.messages import send_message


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    rate_limits.forget_all()


@pytest.fixture
def conversation(listing: Any, buyer: Any) -> Conversation:
    """Of buyer and seller, with the buyer's question as message 1."""
    receipt = start_conversation(
        listing=listing, buyer=buyer, body="Is it still there?", client_message_id=uuid4()
    )
    rate_limits.forget_all()
    return Conversation.objects.get(pk=receipt.conversation_id)


def say(
    user: Any,
    conversation: Conversation,
    body: str,
    *,
    client_message_id: UUID | None = None,
    read_sequence: int | None = None,
) -> Receipt:
    """One message from a person, whatever the limits."""
    rate_limits.forget_all()
    return send_message(
        user_id=user.pk,
        name=display_name(user),
        conversation_id=conversation.pk,
        body=body,
        client_message_id=client_message_id or uuid4(),
        read_sequence=read_sequence,
    )
