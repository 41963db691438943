"""A small run that went well, made by hand: for proving that the checker finds what is wrong.

Ana (1) asks Sol (2) about a listing; Teo (3) and Dan (4) ask Sol about it too. A story holds the
lines of its history and its final state apart, so that a test may spoil one of them.
"""

import uuid

from tests.faults.checker.touches import NO_ANSWER_EXPECTED
from tests.faults.final_state import Conversation, Delivery, Notification, StoredMessage
from tests.faults.spoiled.story_lines import LISTING, Line, person_of
from tests.faults.spoiled.story_sockets import Sockets

FIELDS = {"archive": "archived", "star": "starred", "mute": "muted"}


class Story(Sockets):
    """Each method is one thing that somebody does or is told."""

    def start(self, key: str, who: str) -> Conversation:
        person = person_of(who)
        conversation = self.open(key, person)
        body, client_id = self.body(person, LISTING), str(uuid.uuid4())
        message = self.store(conversation, person, client_id, body)
        self.do(
            who, "start", {**receipt(message), "conversation": key},
            listing=LISTING, key=client_id, body=body, tab=1, session=1, web=1,
        )  # fmt: skip
        return conversation

    def send(
        self, who: str, conversation: Conversation, *, door: str = "http", state: str = "ok",
        is_stored: bool = True, session: int = 1, tries: int = 1, code: str = "forbidden",
    ) -> StoredMessage | None:  # fmt: skip
        """`tries` times with the same key; the last one ends in `state`."""
        person, client_id = person_of(who), str(uuid.uuid4())
        body = self.body(person, conversation.id)
        asked = {"person": person, "tab": 1, "conversation": conversation.id, "door": door}
        asked |= {"key": client_id, "body": body, "session": session, "web": 1}
        message = self.store(conversation, person, client_id, body) if is_stored else None
        for _ in range(tries - 1):
            self.end(self.invoke(who, "send", **asked), "unknown", why="closed")
        operation = self.invoke(who, "send", **asked)
        if state == "ok" and message is not None:
            self.end(operation, "ok", **{**receipt(message), "duplicate": tries > 1})
        else:
            told = {"why": "closed"} if state == "unknown" else {"code": code}
            self.end(operation, state, **told)
        return message

    def change(self, who: str, message: StoredMessage, kind: str) -> None:
        conversation = self.final.conversations[message.conversation]
        person = person_of(who)
        about: Line = {"conversation": message.conversation, "sequence": message.sequence}
        if kind == "edit":
            message.body = about["body"] = self.body(person, message.conversation)
            message.edited = True
        else:
            message.body, message.deleted = "", True
            for place in conversation.places.values():
                unread = place.user != person and place.read_sequence < message.sequence
                place.unread -= unread
        conversation.revision += 1
        message.revision = conversation.revision
        told = {"revision": message.revision, "duplicate": False}
        self.do(who, kind, told, **about, session=1, web=1)

    def read(self, who: str, conversation: Conversation, sequence: int) -> None:
        person = person_of(who)
        place = conversation.places[person]
        place.read_sequence = sequence
        place.unread = sum(
            message.sender != person and not message.deleted
            for message in conversation.messages[sequence:]
        )
        self.do(who, "read", conversation=conversation.id, sequence=sequence, session=1, web=1)

    def say_read(self, who: str, conversation: Conversation, sequence: int) -> None:
        """Over the socket that this tab has, in its person's second session."""
        about: Line = {"conversation": conversation.id, "sequence": sequence}
        operation = self.invoke(who, "read", person=person_of(who), **about, session=2, web=1)
        self.end(operation, "unknown", why=NO_ANSWER_EXPECTED)

    def mark(self, who: str, conversation: Conversation, kind: str, session: int = 1) -> None:
        setattr(conversation.places[person_of(who)], FIELDS[kind], True)
        self.do(who, kind, conversation=conversation.id, on=True, session=session, web=1)

    def leave(self, who: str, conversation: Conversation) -> None:
        place = conversation.places[person_of(who)]
        place.left, place.unread = True, 0
        self.do(who, "leave", conversation=conversation.id, session=1, web=1)

    def pull(self, who: str, conversation: Conversation, after: int) -> Line:
        rows = [
            [m.sequence, m.revision, m.sender, m.body, m.edited, m.deleted]
            for m in sorted(conversation.messages, key=lambda m: m.revision)
            if m.revision > after
        ]
        answer = {"messages": rows, "next": None}
        about = {"conversation": conversation.id, "after": after}
        return self.do(who, "pull", answer, **about, session=1, web=1)

    def list(self, who: str, *, session: int = 1) -> Line:
        rows = self.rows_of(person_of(who))
        return self.do(who, "list", {"rows": rows}, session=session, web=1)

    def notify(
        self, person: int, conversation: Conversation, first: int, last: int, *, mail: bool = True,
        why: str = "",
    ) -> None:  # fmt: skip
        message_id = f"<{uuid.uuid4()}@example.org>"
        state, reasons = ("sent" if mail else "cancelled"), ["created", why or "sent"]
        delivery = Delivery(message_id, state, reasons, why)
        notification = Notification(person, conversation.id, first, last, not mail, [delivery])
        self.final.notifications.append(notification)
        conversation.places[person].notified_sequence = last
        if mail:
            text = "\n".join(m.body for m in conversation.messages[first - 1 : last])
            self.send_mail(person, message_id, text)


def receipt(message: StoredMessage) -> Line:
    numbers = {"sequence": message.sequence, "revision": message.created_revision}
    return {"id": message.id, **numbers, "duplicate": False}
