"""What both consumers share: coming and going, answers in order, and the ways to end."""

import asyncio
import logging
import sys
import uuid
from collections.abc import Awaitable
from typing import Any, ClassVar

from channels.exceptions import StopConsumer
from django.utils import translation

from messaging import fields, handshake, log_context, rate_limits, record_log, runtime
from messaging.admission import current_admission
from messaging.answers import Answer, Answers
from messaging.attendance import current_attendance
from messaging.close_codes import CloseCode, code_for
from messaging.events import Frame, encode, error_frame, public_id
from messaging.exceptions import MessagingError, Unavailable, UnknownType
from messaging.heartbeat import current_heartbeat
from messaging.hub import Hub, current_hub
from messaging.mailbox import Mailbox
from messaging.selectors.connections import Person
from messaging.session_watch import current_session_watch
from messaging.transport import pace_of
from notifications import failpoints

logger = logging.getLogger(__name__)


class Connection(Mailbox):
    """A socket of one person. Subclasses say what it hears and what it does with frames."""

    __slots__ = (
        *("_answers", "_ended", "_frame_limit", "base_send", "close_code", "connection_id"),
        *("conversation_id", "hub", "joined", "language", "opened_at", "other_ids", "person"),
        "scope",
    )

    person: Person
    hub: Hub
    frame_handlers: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.connection_id = uuid.uuid4().hex
        self.conversation_id: Any = None  # An inbox is of none.
        self.other_ids: list[Any] = []
        self.joined: list[str] = []
        self.opened_at: float | None = None
        self.close_code: int | None = None
        self._ended = False
        self._answers = Answers()
        self._frame_limit = rate_limits.FrameLimit()

    # --- Channels' verbs, without its thread hop and task per frame ------------------------------

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """A plain loop. No channel of its own on the layer: the hub has one for all."""
        self.scope, self.base_send, self._pace = scope, send, pace_of(scope)
        log_context.connection_id.set(self.connection_id)
        self.context.run(log_context.connection_id.set, self.connection_id)
        try:
            while True:
                await self.dispatch(await receive())
                await self._wait_for_room()
        except StopConsumer:
            pass
        finally:
            await self._end()

    async def dispatch(self, message: Any) -> None:
        """Channels' own would look for old database connections in a thread before every event;
        no handler here touches the database in this thread."""
        try:
            await getattr(self, message["type"].replace(".", "_"))(message)
        except StopConsumer:
            raise
        except Exception as error:
            await self.fail(error)

    async def fail(self, error: Exception) -> None:
        code = code_for(error)
        if code == CloseCode.TRY_LATER:
            logger.warning("The database failed a socket: %s", type(error.__cause__).__name__)
        elif code == CloseCode.INTERNAL_ERROR:
            logger.error("A socket's handler failed", exc_info=error)
        await self.close(code)

    async def websocket_disconnect(self, message: Any) -> None:
        self.close_code = self.close_code or message["code"]
        await self.disconnect(message["code"])
        raise StopConsumer()

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Once, whoever decides it first."""
        if not self._ended:
            self._ended, self.open = True, False
            self.close_code = None if code is None else int(code)
            if self.opened_at is None:
                record_log.note_refused_handshake(self.scope)
            # autobahn takes nothing but an `int` itself, no enumeration.
            await super().close(code=self.close_code)

    # --- Coming and going ------------------------------------------------------------------------

    async def enter(self, person: Person, groups: list[str]) -> None:
        """Join groups first and accept second: what happens from here on is heard."""
        self.person = person
        if await self._is_turned_away():
            return
        self.language = handshake.choose_language(self.scope, person.language)
        # For all that goes on here, in this task and in others: a frame costs no look for it.
        translation.activate(self.language)
        self.context.run(translation.activate, self.language)
        self.hub, self.joined = current_hub(), groups
        runtime.adopt_running_loop()
        await current_session_watch().listen()
        for group in groups:
            await self.hub.group_add(group, self)
        if await self._is_turned_away():  # From here to the list nothing is waited for.
            return
        oldest = current_attendance().enter(public_id(person.id), self)
        if oldest is not None:
            oldest.post({"type": "displaced"})
        current_heartbeat().add(self)
        await self.accept()
        self.open = True
        self._pace.offer_texts(self.take_at_once)
        record_log.note_opened(self)
        if current_admission().is_ending:  # Those on the list have been told already.
            self.post({"type": "restarting"})

    async def _is_turned_away(self) -> bool:
        """Accepted first, because a refused handshake could not say why."""
        refusal = current_admission().find_refusal()
        if refusal is None:
            return False
        await self.leave()
        await self.accept()
        record_log.note_opened(self)
        await self.close(refusal)
        return True

    async def _end(self) -> None:
        """However it ended, this process forgets it."""
        self._ended, self.open = True, False
        self._mailbox = None
        record_log.note_ended(self)
        await self.leave()

    async def leave(self) -> None:
        """Out of the groups and off the lists. Twice does no harm."""
        current_heartbeat().discard(self)
        for group in self.joined:
            await self.hub.group_discard(group, self)
        if self.joined:
            current_attendance().leave(public_id(self.person.id), self)
        self.joined = []

    # --- Frames from the client ------------------------------------------------------------------

    async def _wait_for_room(self) -> None:
        """Until another frame may be taken. One who is gone has no more of them."""
        while self.open and self._answers.is_full(self.under_way()) and not self._pace.is_lost():
            await self._answers.wait_for_change()

    def under_way(self) -> int:
        """What goes on for frames that have no answer to wait for."""
        return len(self._tasks)

    def note_end(self, task: asyncio.Task[None]) -> None:
        super().note_end(task)
        self._answers.note_end(task)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.open:
            return
        if text_data is None:
            await self.close(CloseCode.BINARY_FRAME)
        elif not self._frame_limit.take() and await self._frame_limit.is_exceeded(
            self._pace.is_lost
        ):
            await self.close(CloseCode.FLOODING)
        elif self.open:
            self.receive_frame(text_data)

    def take_at_once(self, text: str) -> bool:
        """A frame straight from the server, without a turn of the loop. False: it has to wait."""
        if not self.open or self.is_ending or self._answers.is_full(self.under_way()):
            return False
        if not self._frame_limit.take():
            return False
        try:
            self.context.run(self.receive_frame, text)
        except Exception as error:
            self.is_ending = True
            self.start(self.fail(error))
        return True

    def receive_frame(self, text: str) -> None:
        """Understand a frame and hand it on, or answer with what is wrong with it."""
        answer = self._answers.reserve(sys.getsizeof(text))
        frame: Frame = {}
        try:
            frame = fields.parse_object(text)
            handler = self.frame_handlers.get(fields.read_type(frame))
            if handler is None:
                raise UnknownType()
            getattr(self, handler)(frame, answer)
        except MessagingError as error:
            self.fill_answer(answer, self.describe(error, frame))
        fields.forget_all_but_id(frame)

    def describe(self, error: MessagingError, frame: Frame) -> Frame:
        record_log.note_refusal(error, self)
        with translation.override(self.language):
            return error_frame(error, fields.echo_client_message_id(frame))

    def fill_answer(self, answer: Answer, *frames: Any) -> None:
        """Answers leave in the order of the frames they answer."""
        for ready in self._answers.fill(answer, frames):
            if not ready.frames:
                self._answers.note_sent(ready)
            for frame in ready.frames:
                last = frame is ready.frames[-1]
                self.post({"type": "answer", "frame": frame, "answer": ready if last else None})

    async def answer(self, event: Any) -> None:
        failpoints.reach("connection.answering")
        await self.send(text_data=encode(event["frame"]))
        failpoints.reach("connection.answered")
        if event.get("answer") is not None:
            self._answers.note_sent(event["answer"])
        if event["frame"].get("code") == "unauthenticated":
            await self.close(CloseCode.SESSION_ENDED)

    async def run_or_answer(
        self, frame: Frame, function: Any, *arguments: Any, **named: Any
    ) -> Any:
        """Call something in the database; answer the frame with its refusal, if it refuses."""
        return await self.wait_or_answer(frame, runtime.in_database(function, *arguments, **named))

    async def wait_or_answer(self, frame: Frame, waiting: Awaitable[Any]) -> Any:
        """What comes of it; None when the frame has been answered with its refusal."""
        try:
            return await waiting
        except MessagingError as error:
            refusal = error
        except Exception as error:
            logger.warning("A frame could not be served: %s", type(error).__name__)
            refusal = Unavailable()
        self.post({"type": "answer", "frame": self.describe(refusal, frame)})
        return None

    async def look_again(self, reading: Awaitable[Any]) -> Any:
        """Read something anew that a hint or a heartbeat was about. None when the database fails:
        the next heartbeat asks again, and nothing ends because of it. Raises what it refuses."""
        try:
            return await reading
        except MessagingError:
            raise
        except Exception as error:
            logger.warning("Something could not be looked at again: %s", type(error).__name__)
            return None

    # --- Ends that others decide -----------------------------------------------------------------

    async def session_ended(self, event: Any) -> None:
        await self.close(CloseCode.SESSION_ENDED)

    async def removed(self, event: Any) -> None:
        await self.close(CloseCode.NO_LONGER_PARTICIPANT)

    async def displaced(self, event: Any) -> None:
        await self.close(CloseCode.DISPLACED)

    async def restarting(self, event: Any) -> None:
        await self.close(CloseCode.RESTART)

    def receive_ping(self, frame: Frame, answer: Answer) -> None:
        self.fill_answer(answer, {"type": "pong"})
