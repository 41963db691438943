"""What a client may do over either socket with what it has said: edit it, take it back."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from messaging import fields, runtime, text
from messaging.answers import Answer
from messaging.events import Event, Frame, MessageRecord
from messaging.exceptions import MessagingError, Unavailable
from messaging.sending import SendingConnection
from messaging.services.changes import ChangeReceipt, delete_message, edit_message

logger = logging.getLogger(__name__)

MAXIMUM_WAITING = 100
NOTHING: frozenset[int] = frozenset()


class ChangingConnection(SendingConnection):
    """A connection that also changes messages, one after the other, in the order of its frames.

    It remembers the revisions that it has caused: like its messages, those are acknowledged to it
    and never delivered to it.
    """

    __slots__ = ("_changed_here", "_changes", "_changing")

    frame_handlers: ClassVar[dict[str, str]] = {
        **SendingConnection.frame_handlers,
        "edit": "receive_edit",
        "delete": "receive_delete",
    }

    def __init__(self) -> None:
        super().__init__()
        self._changes: list[tuple[Frame, Answer, Callable[[], ChangeReceipt]]] = []
        self._changing: asyncio.Task[None] | None = None
        self._changed_here: frozenset[int] = NOTHING

    def receive_edit(self, frame: Frame, answer: Answer) -> None:
        body = text.normalise_body(frame.get("message"))
        self._append(frame, answer, self._make_change(edit_message, frame, body=body))

    def receive_delete(self, frame: Frame, answer: Answer) -> None:
        self._append(frame, answer, self._make_change(delete_message, frame))

    def _make_change(
        self, change: Callable[..., ChangeReceipt], frame: Frame, **more: str
    ) -> Callable[[], ChangeReceipt]:
        return partial(
            change,
            user_id=self.person.id,
            conversation_id=self.conversation_of(frame),
            sequence=fields.require_number(frame, "sequence"),
            session=self.person.stamp,
            origin=self.connection_id,
            **more,
        )

    def _append(self, frame: Frame, answer: Answer, change: Callable[[], ChangeReceipt]) -> None:
        if len(self._changes) >= MAXIMUM_WAITING:
            raise Unavailable()
        self._changes.append((frame, answer, change))
        if self._changing is None or self._changing.done():
            self._changing = runtime.spawn(self._change_all())

    async def _change_all(self) -> None:
        while self._changes:
            frame, answer, change = self._changes.pop(0)
            self.fill_answer(answer, await self._change(frame, change))

    async def _change(self, frame: Frame, change: Callable[[], ChangeReceipt]) -> Frame:
        try:
            receipt = await runtime.in_database(change)
        except MessagingError as error:
            return self.describe(error, frame)
        except Exception as error:
            logger.warning("A message could not be changed: %s", type(error).__name__)
            return self.describe(Unavailable(), frame)
        if self.cursor is not None and receipt.revision > self.cursor:
            self._changed_here |= {receipt.revision}
        return _ack(receipt, frame)

    # --- One's own changes and the cursor --------------------------------------------------------

    async def settle_changes(self) -> None:
        """Until the changes on their way are answered: whether a row that was just read shows
        one of them is known only then."""
        if self._changing is not None:
            await asyncio.shield(self._changing)

    def forget_own(self, cursor: int) -> None:
        super().forget_own(cursor)
        if self._changed_here:
            self._changed_here = frozenset(key for key in self._changed_here if key > cursor)

    def comes_as(self, message: MessageRecord, *, new: bool) -> str | None:
        """As what a read of the database hands over a message, which may be `new` to the client.
        None for what this connection has done itself."""
        sent_here = self.was_sent_here(message)
        if sent_here and message.revision == message.created_revision:
            return None
        if message.revision in self._changed_here and (sent_here or not new):
            return None
        return "chat_message" if new and not sent_here else "message_changed"

    # --- Told by others --------------------------------------------------------------------------

    async def place(self, event: Event) -> None:
        """This person has archived, starred or muted a conversation somewhere."""
        await self.send(text_data=event["text"])

    async def blocks_changed(self, event: Event) -> None:
        """It decides whose presence a room is told; an inbox is told nobody's."""


def _ack(receipt: ChangeReceipt, frame: Frame) -> Frame:
    ack = {"type": "ack", "conversation": str(receipt.conversation_id), **receipt.as_dict()}
    written = fields.echo_client_message_id(frame)
    return {**ack, "client_message_id": written} if written else ack
