"""What a story's people are told by their sockets, and hold at the end."""

from typing import Any

from tests.faults.final_state import Conversation, StoredMessage
from tests.faults.spoiled.story_lines import Line, Lines, person_of

BEAT_SECONDS = 3


class Sockets(Lines):
    def tell(self, who: str, line: int, kind: str, fields: Line) -> Line:
        """A frame, with what most readers want of it beside all its fields."""
        about: Line = {"person": person_of(who), "tab": 1, "connection": line, "type": kind}
        about["conversation"] = fields.get("conversation")
        for name in ("sequence", "revision", "deleted", "user", "cursor"):
            if name in fields:
                about[name] = fields[name]
        if "message" in fields:
            about["body"] = fields["message"]
        return self.see(who, "frame", **about, fields=fields)

    def connect(
        self, who: str, conversation: Conversation, after: int, session: int = 1,
        online: tuple[int, ...] = (),
    ) -> int:  # fmt: skip
        """`online`: who of the others is shown as here."""
        person = person_of(who)
        asked = {"person": person, "tab": 1, "conversation": conversation.id, "after": after}
        operation = self.invoke(who, "connect", **asked, session=session, web=1)
        for message in sorted(conversation.messages, key=lambda m: m.revision):
            if message.revision > after:
                self.hear(who, operation, message)
        fields = self.describe_room(person, conversation, online)
        self.tell(who, operation, "ready", fields)
        told = {name: fields[name] for name in ("revision", "read_sequence", "last_sequence")}
        self.end(operation, "ok", **told, role=fields["role"], user=person)
        return operation

    def open_list(self, who: str) -> int:
        """An inbox, of which nothing is unread."""
        person = person_of(who)
        asked = {"person": person, "tab": 0, "conversation": None, "after": None}
        operation = self.invoke(who, "connect", **asked, session=1, web=1)
        told = {"user": person, "unread": 0, "cursor": "1-1"}
        self.tell(who, operation, "ready", {**told, "heartbeat_seconds": BEAT_SECONDS})
        self.end(operation, "ok", **told, revision=None, read_sequence=None)
        return operation

    def describe_room(
        self, person: int, conversation: Conversation, online: tuple[int, ...]
    ) -> Line:
        place = conversation.places[person]
        participants = [
            {
                "id": each.user, "username": each.name, "role": each.role,
                "read_sequence": each.read_sequence, "last_seen": None,
                "online": each.user == person or each.user in online,
            }
            for each in conversation.places.values()
            if not each.left
        ]  # fmt: skip
        return {
            "conversation": conversation.id, "user": person, "role": place.role,
            "revision": conversation.revision, "last_sequence": conversation.last_sequence,
            "read_sequence": place.read_sequence, "participants": participants,
            "heartbeat_seconds": BEAT_SECONDS,
        }  # fmt: skip

    def hear(self, who: str, line: int, message: StoredMessage, kind: str = "chat_message") -> Line:
        place = self.final.conversations[message.conversation].places[message.sender or 0]
        fields: dict[str, Any] = {
            "conversation": message.conversation, "id": message.id, "sequence": message.sequence,
            "revision": message.revision, "message": message.body, "username": place.name,
            "sender": {"id": message.sender, "role": place.role}, "kind": message.kind,
            "edited_at": "2026-05-04T10:00:00Z" if message.edited else None,
            "deleted": message.deleted,
        }  # fmt: skip
        if person_of(who) == message.sender:
            fields["client_message_id"] = message.key
        return self.tell(who, line, kind, fields)

    def beat(self, who: str, line: int, conversation: Conversation) -> Line:
        fields = {"conversation": conversation.id, "revision": conversation.revision}
        return self.tell(who, line, "heartbeat", fields)

    def hear_read(self, who: str, line: int, conversation: Conversation, user: int) -> Line:
        sequence = conversation.places[user].read_sequence
        fields = {"conversation": conversation.id, "user": user, "sequence": sequence}
        return self.tell(who, line, "read", fields)

    def hear_presence(self, who: str, line: int, user: int, *, online: bool) -> Line:
        return self.tell(who, line, "presence", {"user": user, "online": online, "last_seen": None})

    def close(
        self, who: str, line: int, conversation: Conversation, code: int = 1006, *, own: bool = True
    ) -> None:
        about = {"person": person_of(who), "tab": 1, "conversation": conversation.id}
        self.see(who, "close", **about, connection=line, code=code, own=own)

    # --- At the end -----------------------------------------------------------------------------

    def hold(self, who: str, conversation: Conversation) -> Line:
        about = {"person": person_of(who), "tab": 1, "conversation": conversation.id}
        held = [[m.sequence, m.revision, m.body, m.deleted] for m in conversation.messages]
        return self.see(who, "final", **about, ready=True, seconds=23.0, messages=held)

    def hold_list(self, who: str) -> Line:
        rows = self.rows_of(person_of(who))
        about = {"person": person_of(who), "tab": 1, "conversation": None, "ready": True}
        unread = sum(1 for row in rows if row[1])
        return self.see(who, "final_inbox", **about, seconds=23.0, unread=unread, rows=rows)

    def rows_of(self, person: int) -> list[list[Any]]:
        mine = [c for c in self.final.conversations.values() if person in c.places]
        return [
            [c.id, c.places[person].unread, c.messages[-1].body]
            for c in mine
            if not c.places[person].left and not c.places[person].archived
        ]
