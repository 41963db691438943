"""Sending, one message at a time: the door of the HTTP views and of everything without a socket."""

from uuid import UUID

from django.db import transaction

from messaging import rate_limits
from messaging.events import Event, UserId
from messaging.exceptions import MessagingError, RateLimited
from messaging.publisher import publish
from messaging.services.attempts import attempt
from messaging.services.drafts import Draft, Receipt, Recorded
from messaging.services.record import record
from messaging.services.retries import answer_stored
from messaging.sessions import SessionStamp
from notifications import failpoints


def send_message(
    *,
    user_id: UserId,
    name: str,
    conversation_id: UUID,
    body: str,
    client_message_id: UUID,
    read_sequence: int | None = None,
    session: SessionStamp | None = None,
) -> Receipt:
    """Store one message (`body` from `normalise_body`) and publish it after the commit.

    Raises whatever refuses it: NotFound, Forbidden, Conflict, RateLimited, Unavailable, …
    """
    draft = Draft(
        conversation_id=conversation_id,
        user_id=user_id,
        body=body,
        client_message_id=client_message_id,
        name=name,
        read_sequence=read_sequence,
        session=session,
    )
    try:
        release = rate_limits.take_send(user_id)
    except RateLimited as refusal:  # A retry of what is stored is answered all the same.
        return answer_stored(draft, refusal=refusal)
    try:
        receipt = store(draft)
    except MessagingError:
        release()  # What was not stored does not count.
        raise
    if receipt.duplicate:
        release()
    return receipt


def store(draft: Draft) -> Receipt:
    """Record one draft and publish what came of it. Raises its refusal."""
    recorded = attempt(lambda: record([draft]))
    receipt = publish_recorded(recorded)
    failpoints.reach("messages.committed")
    return receipt


def publish_recorded(recorded: Recorded) -> Receipt:
    outcome = recorded.outcomes[0]
    if isinstance(outcome, MessagingError):
        raise outcome
    publish_on_commit(recorded.events)
    return outcome


def publish_on_commit(events: list[Event]) -> None:
    """Robust: nothing that goes wrong with the layer may look like a failed send."""
    transaction.on_commit(lambda: publish(events), robust=True)
