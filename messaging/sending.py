"""What a client may do over either socket: send, say how far it has read, say that it types."""

import time
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from messaging import fields, rate_limits, text
from messaging.connection import Answer, Connection
from messaging.events import Frame, MessageRecord, typing_event
from messaging.exceptions import MessagingError
from messaging.journal import current_journal
from messaging.selectors import connections as selectors
from messaging.services.drafts import Draft, Outcome, Receipt
from messaging.services.reading import mark_read

TYPING_SECONDS = 3.0
TYPING_SHOWN_SECONDS = 6


class SendingConnection(Connection):
    """A connection that writes. It remembers which messages went out over it: those are
    acknowledged to it and never delivered to it."""

    frame_handlers: ClassVar[dict[str, str]] = {
        "chat_message": "receive_message",
        "read": "receive_read",
        "typing": "receive_typing",
        "resume": "receive_resume",
        "ping": "receive_ping",
    }

    def __init__(self) -> None:
        super().__init__()
        # The client's id of a message sent here → its revision, or None while it is on its way.
        self._sent_here: dict[UUID, int | None] = {}
        self._reads: dict[UUID, tuple[int, Frame]] = {}
        self._reading = False
        self._typed_at: dict[UUID, float] = {}
        self.cursor: int | None = None

    def conversation_of(self, frame: Frame) -> UUID:
        """Which conversation a frame is about. Over an inbox it says so itself."""
        if self.conversation_id is not None:
            return UUID(str(self.conversation_id))
        return fields.require_conversation_id(frame)

    # --- Messages --------------------------------------------------------------------------------

    def receive_message(self, frame: Frame, answer: Answer) -> None:
        draft = self._make_draft(frame)
        release = rate_limits.take_send(self.person.id)
        self._sent_here.setdefault(draft.client_message_id, None)
        current_journal().append(draft, partial(self._acknowledge, frame, answer, draft, release))

    def _make_draft(self, frame: Frame) -> Draft:
        return Draft(
            conversation_id=self.conversation_of(frame),
            user_id=self.person.id,
            body=text.normalise_body(frame.get("message")),
            client_message_id=fields.read_client_message_id(frame),
            name=self.person.name,
            read_sequence=fields.read_number(frame, "read"),
            session=self.person.stamp,
            origin=self.connection_id,
        )

    def _acknowledge(
        self, frame: Frame, answer: Answer, draft: Draft, release: Any, outcome: Outcome
    ) -> None:
        if isinstance(outcome, MessagingError):
            release()  # What was not stored does not count.
            if self._sent_here.get(draft.client_message_id) is None:  # Not by an earlier frame.
                self._sent_here.pop(draft.client_message_id, None)
            self.fill_answer(answer, self.describe(outcome, frame))
            return
        if outcome.duplicate:
            release()
        self._remember_own(draft.client_message_id, outcome.revision)
        self.fill_answer(answer, _ack(outcome, frame))

    # --- One's own messages and the cursor -------------------------------------------------------

    def _remember_own(self, client_message_id: UUID, revision: int) -> None:
        keeps_cursor = self.conversation_id is not None  # A room does, an inbox does not.
        if not keeps_cursor or (self.cursor is not None and revision <= self.cursor):
            self._sent_here.pop(client_message_id, None)
        else:
            self._sent_here[client_message_id] = revision

    def forget_own(self, cursor: int) -> None:
        """Past the cursor nothing is read again, so nothing need be remembered."""
        if self._sent_here:
            self._sent_here = {
                key: revision
                for key, revision in self._sent_here.items()
                if revision is None or revision > cursor
            }

    def was_sent_here(self, message: MessageRecord) -> bool:
        return message.client_message_id in self._sent_here and message.sender_id == self.person.id

    # --- Reading and typing ----------------------------------------------------------------------

    def receive_read(self, frame: Frame, answer: Answer) -> None:
        """Positions that come while one is being stored are stored together, the furthest one."""
        conversation_id = self.conversation_of(frame)
        sequence = fields.require_number(frame, "sequence")
        waiting, _ = self._reads.get(conversation_id, (0, frame))
        self._reads[conversation_id] = (max(sequence, waiting), frame)
        if not self._reading:
            self._reading = True
            self.start(self._store_reads())
        self.fill_answer(answer)

    async def _store_reads(self) -> None:
        try:
            while self._reads:
                conversation_id, (sequence, frame) = self._reads.popitem()
                await self.run_or_answer(
                    frame,
                    mark_read,
                    user_id=self.person.id,
                    conversation_id=conversation_id,
                    sequence=sequence,
                    session=self.person.stamp,
                    origin=self.connection_id,
                )
        finally:
            self._reading = False

    def receive_typing(self, frame: Frame, answer: Answer) -> None:
        conversation_id = self.conversation_of(frame)
        now = time.monotonic()
        if now - self._typed_at.get(conversation_id, -TYPING_SECONDS) >= TYPING_SECONDS:
            if len(self._typed_at) > 100:
                self._typed_at.clear()
            self._typed_at[conversation_id] = now
            self.start(self._tell_typing(conversation_id, frame))
        self.fill_answer(answer)

    async def _tell_typing(self, conversation_id: UUID, frame: Frame) -> None:
        groups = await self.run_or_answer(
            frame, selectors.find_who_is_told, person=self.person, conversation_id=conversation_id
        )
        for group in groups or ():
            event = typing_event(
                conversation_id=conversation_id,
                user_id=self.person.id,
                expires_in=TYPING_SHOWN_SECONDS,
                groups=[group],
                origin=self.connection_id,
            )
            await self.hub.group_send(group, event)

    # --- Resuming --------------------------------------------------------------------------------

    def receive_resume(self, frame: Frame, answer: Answer) -> None:
        after = fields.require_number(frame, "after")
        conversation_id = self.conversation_of(frame)
        self.post(
            {"type": "resume", "conversation": conversation_id, "after": after, "frame": frame}
        )
        self.fill_answer(answer)


def _ack(receipt: Receipt, frame: Frame) -> Frame:
    """The id as the client wrote it: a UUID may be in capitals, and is compared as text."""
    ack = {"type": "ack", "conversation": str(receipt.conversation_id), **receipt.as_dict()}
    written = fields.echo_client_message_id(frame)
    return {**ack, "client_message_id": written} if written else ack
