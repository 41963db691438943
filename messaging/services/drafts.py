"""What goes into `record` and what comes out of it.

Those of which there is one for each message are msgspec's: made in a tenth of the time.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from messaging.events import Event, Frame, UserId, iso
from messaging.exceptions import MessagingError, Unavailable
from messaging.sessions import SessionStamp


class Draft(msgspec.Struct, frozen=True):
    """A message on its way into the database. `body` has been through `normalise_body`.

    `read_sequence`: up to where its sender has seen the conversation, if they say so.
    `session`: checked again inside the transaction; None for callers that have none (a command).
    `origin`: the connection it came over, which gets the ack and not the event.
    """

    conversation_id: UUID
    user_id: UserId
    body: str
    client_message_id: UUID
    name: str = ""
    read_sequence: int | None = None
    session: SessionStamp | None = None
    origin: str = ""


class Receipt(msgspec.Struct, frozen=True):
    """A message that is stored: now, or earlier under the same id (`duplicate`)."""

    conversation_id: UUID
    client_message_id: UUID
    id: int
    sequence: int
    revision: int
    created_at: datetime
    duplicate: bool = False

    def as_dict(self, *, written_id: str | None = None) -> Frame:
        """`written_id`: as the client wrote it."""
        return {
            "client_message_id": written_id or str(self.client_message_id),
            "id": self.id,
            "sequence": self.sequence,
            "revision": self.revision,
            "created_at": iso(self.created_at),
            "duplicate": self.duplicate,
        }


class Held(Unavailable):
    """Not tried yet: somebody else holds the sender's row or session at this moment."""


class ConversationHeld(Held):
    """Not tried yet: somebody else holds the conversation, or somebody's place in it."""


class Patience(Enum):
    """With rows that somebody else holds.

    LONG: waits for them, as long as the server lets it. SHORT: leaves out whose own row or session
    it is, and waits a moment for the rest; longer is an error (`is_lock_timeout`). NONE: leaves out
    whatever is held.
    """

    LONG = auto()
    SHORT = auto()
    NONE = auto()


Outcome: TypeAlias = Receipt | MessagingError


@dataclass(slots=True)
class Recorded:
    """One outcome for each draft, in their order, and the events to publish after the commit."""

    outcomes: list[Outcome]
    events: list[Event] = field(default_factory=list)


@dataclass(slots=True)
class ConversationRow:
    id: UUID
    state: str
    last_sequence: int
    revision: int
    last_message_at: datetime
    names: str
    changed: bool = False


@dataclass(slots=True)
class ParticipantRow:
    id: int
    conversation_id: UUID
    user_id: UserId
    role: str
    name: str
    has_left: bool
    read_sequence: int
    unread_count: int
    waiting_since: datetime | None
    archived: bool
    muted: bool
    last_activity_at: datetime
    notify_at: datetime | None
    notify_by: datetime | None
    active: bool
    password: str
    blocked: bool
    recount: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """What a retry is compared with."""

    sender_id: int
    client_message_id: UUID
    id: int
    sequence: int
    revision: int
    created_at: datetime
    body: str
    original_digest: bytes | None


@dataclass(frozen=True, slots=True)
class Locked:
    """What a batch is decided by, held until its transaction ends.

    `held_by_others`: people who are left out, as their own row or session is. `alive`: the keys of
    those sessions of the drafts that are.
    """

    conversations: list[ConversationRow]
    participants: list[ParticipantRow]
    stored: list[StoredMessage]
    held_by_others: set[UserId]
    alive: set[str]


class NewMessage(msgspec.Struct, frozen=True):
    conversation_id: UUID
    sequence: int
    revision: int
    sender_id: int | None
    kind: str
    body: str
    client_message_id: UUID | None
    created_at: datetime


# Of new messages, by their sender's place and their sequence.
MessageIds: TypeAlias = dict[tuple[int | None, int], int]
Row: TypeAlias = tuple[Any, ...]
