"""I4 and I6: read marks, presence and lists, as they are shown at the end."""

from dataclasses import dataclass, field
from typing import Any

from tests.faults.checker.known import Known, short
from tests.faults.checker.mailed import PRESENCE_SECONDS
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation

# A heartbeat and 2 s of the stack's, and as long again for what a client does with it.
SETTLED_SECONDS = 5.0
PAGE = 25
NOT_TOLD = "not checked: frames were not written down in full"


@dataclass(slots=True)
class Room:
    """What an open room connection has been told of the people in it."""

    who: str
    person: int
    conversation: str
    ready_at: float = 0.0
    positions: dict[int, int] = field(default_factory=dict)
    online: dict[int, bool] = field(default_factory=dict)

    def take(self, kind: str, fields: dict[str, Any]) -> None:
        if kind in ("ready", "participants"):
            members = [m for m in fields.get("participants", ()) if m["id"] is not None]
            self.positions = {member["id"]: member["read_sequence"] for member in members}
            self.online = {member["id"]: member["online"] for member in members}
        elif kind == "read":
            self.positions[fields["user"]] = fields["sequence"]
        elif kind == "presence":
            self.online[fields["user"]] = fields["online"]


class Rooms:
    """Keeps what each open room connection was told last. A check is told of the tabs that are
    there at the end."""

    def __init__(self) -> None:
        self.open: dict[int, Room] = {}
        self.latest: dict[str, Room] = {}

    def began_connect(self, operation: Operation) -> None:
        asked = operation.asked
        if asked.get("conversation"):
            room = Room(operation.who, asked["person"], asked["conversation"])
            self.open[operation.number] = self.latest[operation.who] = room
        else:
            self.latest.pop(operation.who, None)

    def ended_connect(self, operation: Operation) -> None:
        room = self.open.get(operation.number)
        if room is not None and operation.state == "ok":
            room.ready_at = operation.ended
        elif room is not None and operation.state == "fail":
            self._close(operation.number)

    def saw_close(self, seen: Seen) -> None:
        self._close(seen.value.get("connection", 0))

    def _close(self, number: int) -> None:
        room = self.open.pop(number, None)
        if room is not None and self.latest.get(room.who) is room:
            del self.latest[room.who]

    def saw_frame(self, seen: Seen) -> None:
        room = self.open.get(seen.value.get("connection", 0))
        fields = seen.value.get("fields")
        if room is None or not fields:
            return
        if fields.get("conversation", "") in ("", room.conversation):
            room.take(seen.value["type"], fields)


class ReadMarks(Rooms):
    """I6: everybody is shown how far the others have read. At the end each open room, by what it
    was told when it was opened and since, has the final read position of everybody who takes part,
    of all who have read nothing in the last 5 s; its own person's unless this tab said so itself.
    """

    def __init__(self, known: Known) -> None:
        super().__init__()
        self.known = known
        self.tally = Tally("I6", "read marks shown")
        self._ends: list[tuple[float, Room]] = []
        self._own: set[tuple[str, str]] = set()

    def ended_read(self, operation: Operation) -> None:
        if operation.state == "unknown":
            self._own.add((operation.who, operation.asked["conversation"]))

    def saw_final(self, seen: Seen) -> None:
        room = self.latest.get(seen.who)
        if room is not None and room.conversation == seen.value["conversation"]:
            self._ends.append((seen.at, room))

    def finish(self) -> None:
        for at, room in self._ends:
            conversation = self.known.conversations.get(room.conversation)
            if conversation is not None and room.positions:
                self._compare(at, room, conversation)
        if self._ends and not self.tally.checked:
            self.tally.note = f"read marks {NOT_TOLD}"

    def _compare(self, at: float, room: Room, conversation: Conversation) -> None:
        for place in conversation.places.values():
            key = (place.user, conversation.id)
            said_itself = place.user == room.person and (room.who, room.conversation) in self._own
            read_at = self.known.touches.reads.get(key, 0.0)
            if place.left or said_itself or read_at + SETTLED_SECONDS > at:
                continue
            self.tally.count()
            told = room.positions.get(place.user, 0)
            if told != place.read_sequence:
                self.tally.break_(
                    f"{room.who} is shown at the end that {place.user} has read"
                    f" {short(conversation.id)} up to #{told}, not #{place.read_sequence}"
                )


class Presence(Rooms):
    """I4: who is here is shown as here. At the end each open room shows everybody of it as online
    who has had a socket for 5 s, and nobody who has had none for longer than presence lasts, of
    those who have not blocked each other.
    """

    def __init__(self, known: Known) -> None:
        super().__init__()
        self.known = known
        self.tally = Tally("I4", "presence shown")
        self._here: dict[int, dict[int, float]] = {}  # Ready sockets, rooms and inboxes.
        self._gone: dict[int, float] = {}
        self._shown: list[tuple[float, Room, int, bool, bool]] = []

    def ended_connect(self, operation: Operation) -> None:
        super().ended_connect(operation)
        if operation.state == "ok":
            here = self._here.setdefault(operation.asked["person"], {})
            here[operation.number] = operation.ended

    def saw_close(self, seen: Seen) -> None:
        super().saw_close(seen)
        person = seen.value["person"]
        self._here.get(person, {}).pop(seen.value.get("connection", 0), None)
        self._gone[person] = seen.at

    def saw_final(self, seen: Seen) -> None:
        room = self.latest.get(seen.who)
        if room is None or not room.ready_at or seen.at < room.ready_at + SETTLED_SECONDS:
            return
        for other, online in room.online.items():
            if other == room.person:
                continue
            here = self._here.get(other, {}).values()
            if here:
                if min(here) + SETTLED_SECONDS < seen.at:
                    self._shown.append((seen.at, room, other, online, True))
            elif self._gone.get(other, 0.0) + PRESENCE_SECONDS + SETTLED_SECONDS < seen.at:
                self._shown.append((seen.at, room, other, online, False))

    def finish(self) -> None:
        blocks = self.known.standing.blocks
        for at, room, other, online, is_here in self._shown:
            pairs = ((room.person, other), (other, room.person))
            if any(blocks.may_be_on(pair, at - SETTLED_SECONDS, at) for pair in pairs):
                continue
            self.tally.expect(
                online == is_here,
                f"{room.who} is shown at the end that {other} is {'' if online else 'not '}here",
            )


class Inboxes:
    """I6: lists count what is unread, and show what was said last. In every list asked for after
    the last change of a conversation, and in every open list at the end, that conversation has the
    unread count of the final state and its last message. The first page of whoever has any is not
    empty: it names all of theirs that are not put away, or 25 of them.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I6", "lists")
        self._rows: dict[tuple[int, str], tuple[float, str, Any, Any]] = {}
        self._pages: dict[int, tuple[float, str, set[str]]] = {}
        self._ends: list[Seen] = []

    def ended_list(self, operation: Operation) -> None:
        if operation.state == "ok":
            rows, person = operation.answer["rows"], operation.asked["person"]
            self._take(person, operation.began, f"{operation.who} (asked)", rows)

    def saw_final_inbox(self, seen: Seen) -> None:
        self._ends.append(seen)

    def _take(self, person: int, at: float, who: str, rows: list[list[Any]]) -> None:
        for key, unread, body in rows:
            self._rows[person, key] = (at, who, unread, body)
        self._pages[person] = (at, who, {row[0] for row in rows})

    def finish(self) -> None:
        self._compare_all()
        asked = self.tally.checked
        for seen in self._ends:
            # A list is one round trip behind the news that it follows.
            at, value = seen.at - SETTLED_SECONDS, seen.value
            self._rows.clear()
            self._pages.clear()
            if value.get("ready", True):
                self._take(value["person"], at, f"{seen.who} (at the end)", value["rows"])
            else:
                self.tally.expect(holds=False, example=f"{seen.who} has no socket at the end")
            self._compare_all()
        shown = self.tally.checked - asked
        self.tally.note = f"{asked} lines asked for and {shown} open at the end compared"

    def _compare_all(self) -> None:
        for (person, key), (at, who, unread, body) in self._rows.items():
            conversation = self.known.conversations.get(key)
            place = conversation.places.get(person) if conversation else None
            if conversation is None or place is None or place.left or self._is_touched(key, at):
                continue
            self.tally.count()
            last = conversation.messages[-1].body if conversation.messages else ""
            if unread != place.unread or (body or "") != last:
                self.tally.break_(
                    f"{who}: {short(key)} has {unread} unread and “{short(body)}” last at"
                    f" {at:.1f} s, not {place.unread} and “{short(last)}”"
                )
        for person, (at, who, keys) in self._pages.items():
            self._compare_page(person, at, who, keys)

    def _compare_page(self, person: int, at: float, who: str, keys: set[str]) -> None:
        mine = {
            conversation.id
            for conversation in self.known.conversations.values()
            if person in conversation.places and not conversation.places[person].left
            and not conversation.places[person].archived
        }  # fmt: skip
        touched = self.known.touches.conversations
        if any(self._is_touched(key, at) for key in (mine | keys) & touched.keys()):
            return
        self.tally.count()
        if len(keys - mine) or len(keys) < min(PAGE, len(mine)):
            self.tally.break_(f"{who}: {len(keys)} conversations at {at:.1f} s of {len(mine)}")

    def _is_touched(self, key: str, at: float) -> bool:
        return self.known.touches.conversations.get(key, 0.0) >= at
