"""What the sender of a draft is told when it is stored, or was stored before."""

from messaging import policies
from messaging.exceptions import Conflict
from messaging.services.drafts import (
    Draft,
    MessageIds,
    NewMessage,
    Outcome,
    Receipt,
    StoredMessage,
)


def answer_retry(draft: Draft, stored: StoredMessage) -> Outcome:
    receipt = Receipt(
        conversation_id=draft.conversation_id,
        client_message_id=draft.client_message_id,
        id=stored.id,
        sequence=stored.sequence,
        revision=stored.revision,
        created_at=stored.created_at,
        duplicate=True,
    )
    if policies.is_same_body(
        body=draft.body, stored_body=stored.body, original_digest=stored.original_digest
    ):
        return receipt
    return conflict_with(receipt)


def conflict_with(receipt: Receipt) -> Conflict:
    """The refusal says what is stored under this id."""
    return Conflict(conversation=str(receipt.conversation_id), **receipt.as_dict())


def answer_twin(draft: Draft, message: NewMessage, ids: MessageIds) -> Outcome:
    receipt = make_receipt(message, ids, duplicate=True)
    return receipt if draft.body == message.body else conflict_with(receipt)


def make_receipt(message: NewMessage, ids: MessageIds, *, duplicate: bool = False) -> Receipt:
    assert message.client_message_id is not None
    return Receipt(
        conversation_id=message.conversation_id,
        client_message_id=message.client_message_id,
        id=ids[message.sender_id, message.sequence],
        sequence=message.sequence,
        revision=message.revision,
        created_at=message.created_at,
        duplicate=duplicate,
    )
