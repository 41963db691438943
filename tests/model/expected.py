"""The model: one conversation of two people in plain Python, after docs/protocol.md alone."""

import unicodedata
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

BODIES = ["one", "two", "  two ", "a\r\nb", "a\nb", "cafe\u0301", "caf\u00e9", "<b>&", "x" * 300]


def normalise(body: str) -> str:
    return unicodedata.normalize("NFC", body.replace("\r\n", "\n")).strip()


@dataclass
class Said:
    """One message: by whom, as it was first said, and as it is now."""

    sequence: int
    author: int
    key: UUID
    original: str
    created_at: str
    created_revision: int
    revision: int
    body: str
    deleted: bool = False


@dataclass
class Place:
    """What one person has of the conversation."""

    read: int = 0
    archived: bool = False
    starred: bool = False
    muted: bool = False


@dataclass
class Thread:
    """People are 0, the buyer, and 1, the seller."""

    said: list[Said] = field(default_factory=list)
    # revision → (sequence, body, deleted), as each change left its message.
    log: dict[int, tuple[int, str, bool]] = field(default_factory=dict)
    places: tuple[Place, Place] = field(default_factory=lambda: (Place(), Place()))
    blocks: set[int] = field(default_factory=set)  # Who blocks the other.

    @property
    def head(self) -> int:
        return len(self.log)

    @property
    def last(self) -> int:
        return len(self.said)

    def find(self, author: int, key: UUID) -> Said | None:
        return next((m for m in self.said if (m.author, m.key) == (author, key)), None)

    # --- What a write is answered with ------------------------------------------------------------

    def judge_send(self, author: int, key: UUID, body: str) -> str:
        """`stored`, `duplicate`, or the code of the refusal."""
        earlier = self.find(author, key)
        if earlier is not None:
            return "duplicate" if earlier.original == normalise(body) else "conflict"
        return "forbidden" if self.blocks else "stored"

    def judge_edit(self, author: int, sequence: int, body: str) -> str:
        if not 1 <= sequence <= self.last:
            return "not_found"
        message = self.said[sequence - 1]
        if message.author != author:
            return "forbidden"
        if not message.deleted and message.body == normalise(body):
            return "duplicate"
        return "forbidden" if self.blocks or message.deleted else "stored"

    def judge_delete(self, author: int, sequence: int) -> str:
        if not 1 <= sequence <= self.last:
            return "not_found"
        message = self.said[sequence - 1]
        if message.author != author:
            return "forbidden"
        return "duplicate" if message.deleted else "stored"

    # --- What a write changes ---------------------------------------------------------------------

    def say(self, author: int, key: UUID, body: str, created_at: str) -> Said:
        text, revision = normalise(body), self.head + 1
        message = Said(self.last + 1, author, key, text, created_at, revision, revision, text)
        self.said.append(message)
        self._log(message)
        self.places[1 - author].archived = False
        return message

    def edit(self, sequence: int, body: str) -> None:
        self._change(sequence, normalise(body), deleted=False)

    def delete(self, sequence: int) -> None:
        self._change(sequence, "", deleted=True)

    def _change(self, sequence: int, body: str, *, deleted: bool) -> None:
        message = self.said[sequence - 1]
        message.body, message.deleted, message.revision = body, deleted, self.head + 1
        self._log(message)

    def _log(self, message: Said) -> None:
        self.log[message.revision] = (message.sequence, message.body, message.deleted)

    def read(self, reader: int, sequence: int) -> None:
        place = self.places[reader]
        place.read = max(place.read, min(sequence, self.last))

    # --- What each person is shown ----------------------------------------------------------------

    def held(self) -> dict[int, tuple[int, str, bool]]:
        """By sequence: the revision of its latest change, the text, whether it is deleted."""
        return {m.sequence: (m.revision, m.body, m.deleted) for m in self.said}

    def held_at(self, position: int, known: set[int]) -> dict[int, tuple[int, str, bool]]:
        """The same for a page that has everything up to `position`, and of later changes those
        that are `known` to it."""
        held: dict[int, tuple[int, str, bool]] = {}
        for revision, (sequence, body, deleted) in self.log.items():
            if revision <= position or revision in known:
                held[sequence] = (revision, body, deleted)
        return held

    def changes_after(self, after: int) -> list[tuple[str, int, int, str, bool]]:
        """What a replay hands over: each message that has changed since once, as it is now, with
        the type that it comes as to who has everything up to `after`."""
        changed = [m for m in self.said if m.revision > after]
        return [
            (
                "chat_message" if m.created_revision > after else "message_changed",
                *(m.revision, m.sequence, m.body, m.deleted),
            )
            for m in sorted(changed, key=lambda m: m.revision)
        ]

    def unread(self, reader: int) -> int:
        later = self.said[self.places[reader].read :]
        return sum(m.author != reader and not m.deleted for m in later)

    def waiting_since(self, person: int) -> str | None:
        """When the other side's first message came that this side has not answered."""
        there = [m for m in self.said if not m.deleted]
        answered = max((m.sequence for m in there if m.author == person), default=0)
        return next(
            (m.created_at for m in there if m.author != person and m.sequence > answered), None
        )

    def row(self, person: int) -> dict[str, Any]:
        place, last = self.places[person], self.said[-1]
        return {
            "last_message": (last.body, last.created_at),
            "unread": self.unread(person),
            "waiting_since": self.waiting_since(person),
            "archived": place.archived,
            "starred": place.starred,
            "muted": place.muted,
        }
