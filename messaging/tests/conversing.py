"""Conversations for tests, made as people make them."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from messaging import rate_limits
from messaging.models import Conversation
from messaging.people import display_name
from messaging.services.conversations import start_conversation
from messaging.services.drafts import Draft, Receipt, Recorded
from messaging.services.messages import send_message
from messaging.services.names import as_lines
from messaging.services.record import record


def count_holding() -> int:
    """The statements by which a write holds its session (`services.holding`)."""
    return int(connection.vendor == "postgresql")


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


def draft_of(user: Any, conversation: Conversation, body: str, **fields: Any) -> Draft:
    fields = {"client_message_id": uuid4(), "name": display_name(user), **fields}
    return Draft(conversation_id=conversation.pk, user_id=user.pk, body=body, **fields)


def store(user: Any, conversation: Conversation, *bodies: str) -> Recorded:
    """Messages as another process stores them: nobody here is told, unless by their events."""
    return record([draft_of(user, conversation, body) for body in bodies])


def make_conversation(buyer: Any, seller: Any, title: str = "Lamp") -> Conversation:
    """A further one between any two people, without a listing and still empty."""
    names = as_lines(display_name(user) for user in (buyer, seller))
    made = Conversation.objects.create(listing_title=title, buyer=buyer, seller=seller, names=names)
    made.participants.create(user=buyer, role="buyer", name=display_name(buyer))
    made.participants.create(user=seller, role="seller", name=display_name(seller))
    return made
