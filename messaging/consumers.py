"""The two sockets: one conversation (`RoomConsumer`), everything of one person (`InboxConsumer`).

They read like the consumers in Channels' documentation: `connect` joins the role group, `receive`
hands a message on to the other side's group, `chat_message` delivers, `disconnect` leaves. What
differs is behind it: messages pass the journal, which stores them first and then publishes them to
the groups of whoever takes part, and the groups are the hub's.
"""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from messaging import conf, fields, handshake, metrics, runtime
from messaging.changing import ChangingConnection
from messaging.events import (
    Event,
    Frame,
    message_frame_for,
    own_text,
    participants_frame,
    public_id,
    role_group,
)
from messaging.exceptions import Invalid, NotFound
from messaging.membership import MemberWatch
from messaging.models import Role
from messaging.reception import current_reception
from messaging.replaying import Replay
from messaging.selectors import connections as selectors
from messaging.selectors.connections import Person, RoomState
from messaging.selectors.entering import Room
from messaging.selectors.messages import Changes

WAIT_FOR_GAP_SECONDS = 0.1


class RoomConsumer(MemberWatch):
    """One conversation: every change exactly once and in `revision` order.

    `cursor` is the revision up to which this connection has handed over everything. Events move it
    and so do reads of the database; an ack never does, since it may overtake an older message.
    """

    __slots__ = ("held", "last_sequence")

    sent_at_once = MemberWatch.sent_at_once | {"chat_message", "message_changed", "typing"}

    async def connect(self) -> None:
        identifier = fields.parse_uuid(self.scope["url_route"]["kwargs"]["conversation_id"])
        session_key = handshake.read_session_key(self.scope)
        admitted = None
        if identifier and session_key:
            admitted = await current_reception().admit_to_room(session_key, identifier)
        if admitted is None:
            await self.close()
            return
        person, role = admitted
        self.conversation_id = identifier
        await self.enter(person, [role_group(role, person.id)])
        self.held: dict[int, Event] = {}
        self.post({"type": "opened"})

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A message goes to the journal and, once stored, to the groups of both sides."""
        await super().receive(text_data, bytes_data)

    async def disconnect(self, code: int) -> None:
        await self.leave()

    # --- Opening and resuming -------------------------------------------------------------------

    async def opened(self, event: Any) -> None:
        try:
            after = handshake.read_after(self.scope)
        except Invalid as error:
            after = None
            await self.send_frame(self.describe(error, {}))
        await self._open(after)

    async def resume(self, event: Any) -> None:
        await self._open(event["after"])
        self.fill_answer(event["place"])

    async def _open(self, after: int | None) -> None:
        """Replay from `after`, then `ready`. It reads after it has subscribed: what comes in
        between is either in what it reads or still to be delivered."""
        room = await current_reception().enter_room(self.person, self.conversation_id)
        room = await self.meet(room)
        self.last_sequence = room.last_sequence
        self.cursor = room.revision if after is None else min(after, room.revision)
        if after is not None:
            await self._catch_up()
        await self.send_frame(_ready(room, self.person, self.cursor, self.last_sequence))

    # --- Delivering -----------------------------------------------------------------------------

    async def chat_message(self, event: Event) -> None:
        """The next revision goes out, an older one is dropped, a later one waits for the gap."""
        if self.cursor is None or event["revision"] <= self.cursor:
            return
        if event["revision"] > self.cursor + 1:
            self._hold(event)
            return
        await self._hand_over(event)
        await self._hand_over_held()

    message_changed = chat_message

    async def _hand_over(self, event: Event) -> None:
        self.cursor = event["revision"]
        self.forget_own(self.cursor)
        if event["origin"] != self.connection_id:
            await self.send(text_data=_text_for(event, self.person))

    async def _hand_over_held(self) -> None:
        while self.cursor is not None and self.cursor + 1 in self.held:
            await self._hand_over(self.held.pop(self.cursor + 1))

    def _hold(self, event: Event) -> None:
        if not self.held:
            self._look_for_gap_soon()
        self.held[event["revision"]] = event

    def _look_for_gap_soon(self) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(WAIT_FOR_GAP_SECONDS, self.post, {"type": "gap"})

    async def gap(self, event: Any) -> None:
        """What was missing has not come by itself."""
        if self.held:
            metrics.GAPS_READ.add(1, "event")
            await self._catch_up()

    @metrics.CATCH_UP_SECONDS.timed
    async def _catch_up(self) -> None:
        """Read the database from the cursor on, page by page."""
        cursor = self.cursor or 0
        replay = Replay(cursor)
        more = True
        while more and self.open:
            changes = await runtime.in_database(
                selectors.read_changes, self.person, self.conversation_id, cursor
            )
            await self.settle_changes()
            await self._hand_over_changes(changes, replay)
            cursor, more = self.cursor or 0, changes.more
        self.held = {key: event for key, event in self.held.items() if key > cursor}
        await self._hand_over_held()
        if self.held:
            self._look_for_gap_soon()

    async def _hand_over_changes(self, changes: Changes, replay: Replay) -> None:
        for message, new in replay.take(changes):
            self.last_sequence = max(self.last_sequence, message.sequence)
            kind = self.comes_as(message, new=new)
            if kind is not None:
                await self.send_frame(message_frame_for(message, self.person.id, type=kind))
        self.cursor = max(self.cursor or 0, changes.cursor)
        self.forget_own(self.cursor)

    async def typing(self, event: Event) -> None:
        if event["user"] != public_id(self.person.id):
            await self.send(text_data=event["text"])

    # --- Heartbeat ------------------------------------------------------------------------------

    async def beat(self, event: Any) -> None:
        """Whatever the layer has lost is found here, read positions included."""
        state: RoomState = event["state"]
        if self.cursor is None:
            return
        if state.revision > self.cursor:
            metrics.GAPS_READ.add(1, "heartbeat")
            await self._catch_up()
        await self.compare_members(state, event["hidden"])
        conversation = str(self.conversation_id)
        await self.send_frame(
            {"type": "heartbeat", "conversation": conversation, "revision": self.cursor}
        )


class InboxConsumer(ChangingConnection):
    """Every conversation of one person; its frames name theirs. It keeps no cursor: a heartbeat
    whose `cursor` is new to the client says that something was missed."""

    sent_at_once = ChangingConnection.sent_at_once | {
        *("chat_message", "message_changed", "read", "typing"),
    }

    async def connect(self) -> None:
        session_key = handshake.read_session_key(self.scope)
        person = None
        if session_key:
            person = await current_reception().admit_person(session_key)
        if person is None:
            await self.close()
            return
        await self.enter(person, [role_group(role.value, person.id) for role in Role])
        self.post({"type": "opened"})

    async def disconnect(self, code: int) -> None:
        await self.leave()

    async def opened(self, event: Any) -> None:
        inbox = await current_reception().enter_inbox(self.person)
        await self.send_frame(
            {
                "type": "ready",
                "user": public_id(self.person.id),
                "unread": inbox.unread,
                "cursor": inbox.cursor,
                "heartbeat_seconds": conf.heartbeat_seconds(),
            }
        )

    async def resume(self, event: Any) -> None:
        await self._replay(event)
        self.fill_answer(event["place"])

    async def _replay(self, event: Any) -> None:
        """One conversation's changes since a revision, then its `ready`."""
        reception = current_reception()
        room = await self.wait_or_answer(
            event["frame"], reception.enter_room(self.person, event["conversation"])
        )
        if room is None:
            return
        room = await reception.with_presence(self.person, room)
        cursor = min(event["after"], room.revision)
        replay = Replay(cursor)
        last_sequence = room.last_sequence
        more = True
        while more and self.open:
            changes = await self.run_or_answer(
                event["frame"], selectors.read_changes, self.person, room.conversation_id, cursor
            )
            if changes is None:  # They take part no longer, say: there is nothing to be ready for.
                return
            for message, new in replay.take(changes):
                last_sequence = max(last_sequence, message.sequence)
                kind = "chat_message" if new else "message_changed"
                await self.send_frame(message_frame_for(message, self.person.id, type=kind))
            cursor, more = max(cursor, changes.cursor), changes.more
        await self.send_frame(_ready(room, self.person, cursor, last_sequence))

    async def chat_message(self, event: Event) -> None:
        if event["origin"] != self.connection_id:
            await self.send(text_data=_text_for(event, self.person))

    message_changed = chat_message

    async def read(self, event: Event) -> None:
        if event["origin"] != self.connection_id:
            await self.send(text_data=event["text"])

    async def typing(self, event: Event) -> None:
        if event["user"] != public_id(self.person.id):
            await self.send(text_data=event["text"])

    async def participants(self, event: Event) -> None:
        """Somebody came or went in one of the conversations."""
        with suppress(NotFound):
            reception = current_reception()
            room = await self.look_again(
                reception.enter_room(self.person, UUID(event["conversation"]))
            )
            if room is not None:
                room = await reception.with_presence(self.person, room)
                await self.send_frame(participants_frame(room.conversation_id, room.participants))

    async def removed(self, event: Event) -> None:
        """One of the conversations is no longer theirs; this connection has the others."""
        await self.send(text_data=event["text"])

    async def beat(self, event: Any) -> None:
        await self.send_frame({"type": "heartbeat", "cursor": event["state"].cursor})


def _text_for(event: Event, person: Person) -> str:
    return own_text(event) if event["user"] == public_id(person.id) else event["text"]


def _ready(room: Room, person: Person, revision: int, last_sequence: int) -> Frame:
    return {
        "type": "ready",
        "user": public_id(person.id),
        "conversation": str(room.conversation_id),
        "revision": revision,
        "last_sequence": last_sequence,
        "role": room.role,
        "read_sequence": room.read_sequence,
        "participants": room.participants,
        "heartbeat_seconds": conf.heartbeat_seconds(),
    }
