"""A message that was stored before, for who sends it again and may not write just now.

`record` recognises retries by itself; this is for doors that refuse before they ask it.
"""

from django.db import Error as DatabaseError

from messaging.exceptions import MessagingError
from messaging.models import Message
from messaging.services.drafts import Draft, Outcome, Receipt, StoredMessage
from messaging.services.receipts import answer_retry


def answer_stored(draft: Draft, *, refusal: MessagingError) -> Receipt:
    """The receipt of what is stored under the draft's id. Raises Conflict when that has another
    body, and the `refusal` when there is nothing."""
    try:
        outcome = find_outcome(draft)
    except DatabaseError:
        raise refusal from None
    if outcome is None:
        raise refusal
    if isinstance(outcome, MessagingError):
        raise outcome
    return outcome


def find_outcome(draft: Draft) -> Outcome | None:
    """What `record` would answer to a retry; None for what is not stored. One query."""
    message = Message.objects.filter(
        conversation_id=draft.conversation_id,
        sender__user_id=draft.user_id,
        client_message_id=draft.client_message_id,
    ).first()
    return answer_retry(draft, _as_stored(message)) if message else None


def _as_stored(message: Message) -> StoredMessage:
    assert message.sender_id is not None
    assert message.client_message_id is not None
    digest = message.original_digest
    return StoredMessage(
        sender_id=message.sender_id,
        client_message_id=message.client_message_id,
        id=message.pk,
        sequence=message.sequence,
        revision=message.created_revision,
        created_at=message.created_at,
        body=message.body,
        original_digest=bytes(digest) if digest is not None else None,
    )
