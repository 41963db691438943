"""What a client may do over either socket: send, say how far it has read, say that it types."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias
from uuid import UUID

from messaging import fields, rate_limits, runtime, text
from messaging.answers import Answer
from messaging.connection import Connection
from messaging.events import Frame, MessageRecord, typing_event
from messaging.exceptions import MessagingError, RateLimited
from messaging.identifiers import text_of
from messaging.journals import current_journals
from messaging.reception import current_reception
from messaging.selectors.entering import Room
from messaging.services.drafts import Draft, Outcome, Receipt
from messaging.services.reading import mark_read
from messaging.services.retries import answer_stored

TYPING_SECONDS = 3.0
TYPING_SHOWN_SECONDS = 6

# A message by its conversation and the id that its client gave it, both as numbers: those are
# hashed without Python.
Key: TypeAlias = tuple[int, int]


@dataclass(slots=True)
class _Sending:
    """A message on its way. However often it is sent meanwhile, it counts once."""

    give_back: Callable[[], None]
    frames: int = 0
    stored: bool = False


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

    __slots__ = ("_on_their_way", "_reading", "_reads", "_sent_here", "_typed_at", "cursor")

    def __init__(self) -> None:
        super().__init__()
        # A message sent here → its revision, or None while it is on its way.
        self._sent_here: dict[Key, int | None] = {}
        self._on_their_way: dict[Key, _Sending] = {}
        self._reads: dict[UUID, tuple[int, Frame]] = {}
        self._reading = False
        self._typed_at: dict[UUID, float] = {}
        self.cursor: int | None = None

    def under_way(self) -> int:
        return len(self._tasks) + len(self._reads)

    def conversation_of(self, frame: Frame) -> UUID:
        """Which conversation a frame is about. Over an inbox it says so itself."""
        if isinstance(self.conversation_id, UUID):
            return self.conversation_id
        return fields.require_conversation_id(frame)

    # --- Messages --------------------------------------------------------------------------------

    def receive_message(self, frame: Frame, answer: Answer) -> None:
        draft = self._make_draft(frame)
        key = _key_of(draft)
        sending = self._on_their_way.get(key)
        if sending is None:  # Else this can only be a retry.
            try:
                sending = _Sending(rate_limits.take_send(self.person.id))
            except RateLimited as refusal:
                self._refuse_or_answer_retry(frame, answer, draft, refusal)
                return
            self._on_their_way[key] = sending
        sending.frames += 1
        self._sent_here.setdefault(key, None)
        current_journals().append(draft, partial(self._acknowledge, frame, answer, key))

    def _refuse_or_answer_retry(
        self, frame: Frame, answer: Answer, draft: Draft, refusal: RateLimited
    ) -> None:
        """Over the limit: what is stored is looked up, and only for who gives an id to look for."""
        if fields.echo_client_message_id(frame) is None:
            raise refusal
        self.start(self._answer_retry(frame, answer, draft, refusal))

    async def _answer_retry(
        self, frame: Frame, answer: Answer, draft: Draft, refusal: RateLimited
    ) -> None:
        try:
            receipt = await runtime.in_database(answer_stored, draft, refusal=refusal)
        except Exception as error:
            told = error if isinstance(error, MessagingError) else refusal
            self.fill_answer(answer, self.describe(told, frame))
            return
        self._remember_own(_key_of(draft), receipt.revision)
        self.fill_answer(answer, _ack(receipt, frame))

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

    def _acknowledge(self, frame: Frame, answer: Answer, key: Key, outcome: Outcome) -> None:
        self._count(key, outcome)
        if isinstance(outcome, MessagingError):
            self.fill_answer(answer, self.describe(outcome, frame))
            return
        self._remember_own(key, outcome.revision)
        self.fill_answer(answer, _ack(outcome, frame))

    def _count(self, key: Key, outcome: Outcome) -> None:
        """What was not stored does not count: known when the last frame of it is answered."""
        sending = self._on_their_way[key]
        sending.frames -= 1
        sending.stored |= isinstance(outcome, Receipt) and not outcome.duplicate
        if sending.frames:
            return
        del self._on_their_way[key]
        if not sending.stored:
            sending.give_back()
        if self._sent_here.get(key) is None:
            self._sent_here.pop(key, None)

    # --- One's own messages and the cursor -------------------------------------------------------

    def _remember_own(self, key: Key, revision: int) -> None:
        keeps_cursor = self.conversation_id is not None  # A room does, an inbox does not.
        if not keeps_cursor or (self.cursor is not None and revision <= self.cursor):
            self._sent_here.pop(key, None)
        else:
            self._sent_here[key] = revision

    def forget_own(self, cursor: int) -> None:
        """Past the cursor nothing is read again, so nothing need be remembered; what was sent after
        something that is on its way is for a while."""
        while self._sent_here:
            key, revision = next(iter(self._sent_here.items()))
            if revision is None or revision > cursor:
                return
            del self._sent_here[key]

    def was_sent_here(self, message: MessageRecord) -> bool:
        if message.client_message_id is None or message.sender_id != self.person.id:
            return False
        return (message.conversation_id.int, message.client_message_id.int) in self._sent_here

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
        reading = current_reception().enter_room(self.person, conversation_id)
        room: Room | None = await self.wait_or_answer(frame, reading)
        for group in room.other_groups if room else ():
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
            {
                "type": "resume",
                "conversation": conversation_id,
                "after": after,
                "frame": frame,
                "place": answer,
            }
        )


def _key_of(draft: Draft) -> Key:
    return draft.conversation_id.int, draft.client_message_id.int


def _ack(receipt: Receipt, frame: Frame) -> Frame:
    """The id as the client wrote it: a UUID may be in capitals, and is compared as text."""
    about = receipt.as_dict(written_id=frame.get("client_message_id"))
    return {"type": "ack", "conversation": text_of(receipt.conversation_id), **about}
