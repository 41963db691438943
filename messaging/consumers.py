"""The two sockets: one conversation (`RoomConsumer`), everything of one person (`InboxConsumer`).

They read like the consumers in Channels' documentation: `connect` joins the role group, `receive`
hands a message on to the other side's group, `chat_message` delivers, `disconnect` leaves. What
differs is behind it: messages pass the journal, which stores them first and then publishes them to
the groups of whoever takes part, and the groups are the hub's.
"""

import asyncio
from typing import Any

from messaging import conf, fields, handshake, runtime
from messaging.close_codes import CloseCode
from messaging.events import (
    Event,
    Frame,
    message_frame_for,
    own_text,
    presence_event,
    presence_group,
    public_id,
    read_event,
    role_group,
)
from messaging.exceptions import Invalid, NotFound
from messaging.models import Role
from messaging.selectors import connections as selectors
from messaging.selectors.messages import Changes, changes_after
from messaging.sending import SendingConnection

WAIT_FOR_GAP_SECONDS = 0.1


class RoomConsumer(SendingConnection):
    """One conversation: every change exactly once and in `revision` order.

    `cursor` is the revision up to which this connection has handed over everything. Events move it
    and so do reads of the database; an ack never does, since it may overtake an older message.
    """

    room: selectors.Room

    async def connect(self) -> None:
        identifier = fields.parse_uuid(self.scope["url_route"]["kwargs"]["conversation_id"])
        session_key = handshake.read_session_key(self.scope)
        admitted = None
        if identifier and session_key:
            admitted = await runtime.in_database(selectors.admit_to_room, session_key, identifier)
        if admitted is None:
            await self.close()
            return
        person, self.room = admitted
        self.conversation_id = self.room.conversation_id
        watched = [presence_group(user_id) for user_id in self.room.other_ids]
        await self.enter(person, [role_group(self.room.role, person.id), *watched])
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

    async def _open(self, after: int | None) -> None:
        """Replay from `after`, then `ready`. It reads after it has subscribed: what comes in
        between is either in what it reads or still to be delivered."""
        try:
            self.room = await runtime.in_database(
                selectors.read_room, self.person.user, self.conversation_id
            )
        except NotFound:
            await self.close(CloseCode.NO_LONGER_PARTICIPANT)
            return
        self.last_sequence = self.room.last_sequence
        self.other_ids = self.room.other_ids
        self._read_positions = {m["id"]: m["read_sequence"] for m in self.room.participants}
        self._presence = {m["id"]: m["online"] for m in self.room.participants}
        self.cursor = self.room.revision if after is None else min(after, self.room.revision)
        if after is not None:
            await self._catch_up()
        await self.send_frame(_ready(self.room, self.cursor, self.last_sequence))

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
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Read the database from the cursor on, page by page."""
        after = cursor = self.cursor or 0
        more = True
        while more and self.open:
            changes = await runtime.in_database(changes_after, self.conversation_id, cursor)
            await self._hand_over_changes(changes, after)
            cursor, more = self.cursor or 0, changes.more
        self.held = {key: event for key, event in self.held.items() if key > cursor}
        await self._hand_over_held()
        if self.held:
            self._look_for_gap_soon()

    async def _hand_over_changes(self, changes: Changes, after: int) -> None:
        for message in changes.messages:
            self.last_sequence = max(self.last_sequence, message.sequence)
            if not self.is_known(message):
                kind = self.replay_type(message, after)
                await self.send_frame(message_frame_for(message, self.person.id, type=kind))
        self.cursor = max(self.cursor or 0, changes.cursor)
        self.forget_own(self.cursor)

    async def read(self, event: Event) -> None:
        if event["sequence"] <= self._read_positions.get(event["user"], 0):
            return  # It came late.
        self._read_positions[event["user"]] = event["sequence"]
        if event["origin"] != self.connection_id:
            await self.send(text_data=event["text"])

    async def typing(self, event: Event) -> None:
        if event["user"] != public_id(self.person.id):
            await self.send(text_data=event["text"])

    async def presence(self, event: Event) -> None:
        if event["online"] == self._presence.get(event["user"]):
            return
        self._presence[event["user"]] = event["online"]
        await self.send(text_data=event["text"])

    # --- Heartbeat ------------------------------------------------------------------------------

    async def beat(self, event: Any) -> None:
        """Whatever the layer has lost is found here, read positions included."""
        state: selectors.RoomState = event["state"]
        if self.cursor is None:
            return
        if state.revision > self.cursor:
            await self._catch_up()
        for user_id, sequence in state.read_sequences.items():
            await self.read(_read_event(self.conversation_id, user_id, sequence))
        conversation = str(self.conversation_id)
        await self.send_frame(
            {"type": "heartbeat", "conversation": conversation, "revision": self.cursor}
        )

    async def presence_checked(self, event: Any) -> None:
        for user_id in self.other_ids:
            online, seen = user_id in event["online"], event["last_seen"].get(user_id)
            await self.presence(presence_event(user_id=user_id, online=online, last_seen=seen))


class InboxConsumer(SendingConnection):
    """Every conversation of one person; its frames name theirs. It keeps no cursor: a heartbeat
    whose `cursor` is new to the client says that something was missed."""

    async def connect(self) -> None:
        session_key = handshake.read_session_key(self.scope)
        person = None
        if session_key:
            person = await runtime.in_database(selectors.admit_person, session_key)
        if person is None:
            await self.close()
            return
        await self.enter(person, [role_group(role.value, person.id) for role in Role])
        self.post({"type": "opened"})

    async def disconnect(self, code: int) -> None:
        await self.leave()

    async def opened(self, event: Any) -> None:
        found = await runtime.in_database(selectors.read_inboxes, [self.person.id])
        inbox = found[self.person.id]
        await self.send_frame(
            {
                "type": "ready",
                "unread": inbox.unread,
                "cursor": inbox.cursor,
                "heartbeat_seconds": conf.heartbeat_seconds(),
            }
        )

    async def resume(self, event: Any) -> None:
        """One conversation's changes since a revision, then its `ready`."""
        room = await self.run_or_answer(
            event["frame"],
            selectors.read_room,
            user=self.person.user,
            conversation_id=event["conversation"],
        )
        if room is None:
            return
        after = cursor = min(event["after"], room.revision)
        last_sequence = room.last_sequence
        more = True
        while more and self.open:
            changes = await runtime.in_database(changes_after, room.conversation_id, cursor)
            for message in changes.messages:
                last_sequence = max(last_sequence, message.sequence)
                kind = self.replay_type(message, after)
                await self.send_frame(message_frame_for(message, self.person.id, type=kind))
            cursor, more = max(cursor, changes.cursor), changes.more
        await self.send_frame(_ready(room, cursor, last_sequence))

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

    async def beat(self, event: Any) -> None:
        await self.send_frame({"type": "heartbeat", "cursor": event["state"].cursor})


def _text_for(event: Event, person: selectors.Person) -> str:
    return own_text(event) if event["user"] == public_id(person.id) else event["text"]


def _read_event(conversation_id: Any, user_id: Any, sequence: int) -> Event:
    return read_event(
        conversation_id=conversation_id, user_id=user_id, sequence=sequence, groups=[]
    )


def _ready(room: selectors.Room, revision: int, last_sequence: int) -> Frame:
    return {
        "type": "ready",
        "conversation": str(room.conversation_id),
        "revision": revision,
        "last_sequence": last_sequence,
        "role": room.role,
        "read_sequence": room.read_sequence,
        "participants": room.participants,
        "heartbeat_seconds": conf.heartbeat_seconds(),
    }
