"""Who else is in a room: who they are, how far they have read, and whether they are here."""

from typing import Any

from messaging.changing import ChangingConnection
from messaging.events import (
    Event,
    participants_frame,
    presence_event,
    presence_group,
    public_id,
    read_event,
)
from messaging.reception import current_reception
from messaging.selectors.connections import RoomState
from messaging.selectors.entering import Room


class MemberWatch(ChangingConnection):
    """The part of a room's connection that looks after its people."""

    ends = ChangingConnection.ends | {"removed"}

    __slots__ = ("_presence", "_read_positions")

    def __init__(self) -> None:
        super().__init__()
        self._read_positions: dict[Any, int] = {}
        self._presence: dict[Any, bool] = {}

    async def meet(self, room: Room) -> Room:
        """From now on these are the people of this room. Gives it with who of them is here."""
        room = await self._look_around(room)
        self._read_positions = {m["id"]: m["read_sequence"] for m in room.participants}
        self._presence = {m["id"]: m["online"] for m in room.participants}
        return room

    async def _look_around(self, room: Room) -> Room:
        """Who is here is asked once it is told who comes and goes."""
        self.other_ids = room.other_ids
        await self._watch({presence_group(user_id) for user_id in room.other_ids})
        return await current_reception().with_presence(self.person, room)

    async def _watch(self, wanted: set[str]) -> None:
        """Who ended while the database was asked has left for good: nobody would take them out."""
        watched = {group for group in self.joined if group.startswith(presence_group(""))}
        for group in watched - wanted:
            self.joined.remove(group)
            await self.hub.group_discard(group, self)
        for group in wanted - watched:
            if not self.open:
                return
            self.joined.append(group)
            await self.hub.group_add(group, self)
            if group not in self.joined:  # This connection ended meanwhile.
                await self.hub.group_discard(group, self)

    async def participants(self, event: Any) -> None:
        """Somebody came or went, or may have: the database says who is here now."""
        if self.cursor is None:
            return
        room = await self._look_again()
        if room is None:
            return
        if {member["id"] for member in room.participants} != self._read_positions.keys():
            room = await self.meet(room)
            await self.send_frame(participants_frame(self.conversation_id, room.participants))

    async def _look_again(self) -> Room | None:
        reading = current_reception().enter_room(self.person, self.conversation_id)
        room: Room | None = await self.look_again(reading)
        return room

    async def compare_members(self, state: RoomState, hidden: set[Any]) -> None:
        """What a heartbeat found: who takes part, who of them may not be told of this person, and
        how far they have read."""
        known = self._read_positions.keys() - {None}  # Of an account that is gone.
        if {public_id(user_id) for user_id in state.read_sequences} != known:
            await self.participants(None)
        if set(self.other_ids) != state.read_sequences.keys() - hidden - {self.person.id}:
            await self._look_at_blocks()
        for user_id, sequence in state.read_sequences.items():
            event = read_event(
                conversation_id=self.conversation_id, user_id=user_id, sequence=sequence, groups=[]
            )
            await self.read(event)

    async def read(self, event: Event) -> None:
        known = self._read_positions.get(event["user"])
        if known is None or event["sequence"] <= known:
            return  # It came late, or is about somebody who is not here.
        self._read_positions[event["user"]] = event["sequence"]
        if event["origin"] != self.connection_id:
            await self.send(text_data=event["text"])

    async def presence(self, event: Event) -> None:
        if event["online"] == self._presence.get(event["user"]):
            return
        self._presence[event["user"]] = event["online"]
        await self.send(text_data=event["text"])

    async def blocks_changed(self, event: Event) -> None:
        """One of two people has blocked the other, or no longer does. Their other conversations
        have nothing to do with it."""
        if self.cursor is not None and {event["user"], event.get("other")} <= self._presence.keys():
            await self._look_at_blocks()

    async def _look_at_blocks(self) -> None:
        """From now on they are told of each other what they may be told, and here is what that
        changes."""
        room = await self._look_again()
        if room is None:
            return
        room = await self._look_around(room)
        for member in room.participants:
            if member["id"] == public_id(self.person.id):
                continue
            online, seen = member["online"], member["last_seen"]
            await self.presence(presence_event(user_id=member["id"], online=online, last_seen=seen))

    async def presence_checked(self, event: Any) -> None:
        """What a heartbeat found. Of who is neither `online` nor `gone` nothing is known."""
        for key in map(public_id, self.other_ids):
            if key in event["online"] or key in event["gone"]:
                online, seen = key in event["online"], event["last_seen"].get(key)
                await self.presence(presence_event(user_id=key, online=online, last_seen=seen))
