"""The frames a server sends and the events that carry them between processes, each made here.

An event travels the bus as plain data. Its frame is encoded once, in `text`; what only the sender
may see (`client_message_id`) is added for their other connections by `own_text`.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NotRequired, TypeAlias, TypedDict
from uuid import UUID

import msgspec

from messaging.exceptions import MessagingError
from messaging.identifiers import text_of
from messaging.models import Role

Frame: TypeAlias = dict[str, Any]
UserId: TypeAlias = Any  # Whatever the host's user model has for a key.

# Every process listens to this one itself.
SESSIONS_GROUP = "sessions"

# The buying side is the marketplace's consumer; its groups carry that word.
GROUP_PREFIXES = {Role.BUYER.value: "consumer", Role.SELLER.value: "seller"}

# How the name of every such group begins.
ROLE_GROUPS = tuple(f"{prefix}." for prefix in GROUP_PREFIXES.values())


class Event(TypedDict):
    """What the bus carries. `groups` were read from the database when the change was stored."""

    type: str
    groups: list[str]
    conversation: str
    user: UserId
    origin: str  # The connection that caused it; it gets an ack and not its own event.
    revision: int  # 0 where the change takes none.
    sequence: int  # Of the message, or how far somebody has read; 0 where there is none.
    online: bool  # Of a presence event.
    client_message_id: str
    text: str
    other: NotRequired[UserId]  # Of what is between two people.


class MessageRecord(msgspec.Struct, frozen=True):
    """A message as the frames show it, wherever it was read."""

    conversation_id: UUID
    id: int
    sequence: int
    created_revision: int
    revision: int
    body: str
    username: str
    sender_id: UserId
    role: str
    kind: str
    client_message_id: UUID | None
    created_at: datetime
    edited_at: datetime | None = None
    deleted: bool = False


_encoder = msgspec.json.Encoder()


def encode(frame: Frame) -> str:
    return _encoder.encode(frame).decode()


def public_id(user_id: UserId) -> Any:
    """A user's key as JSON carries it: numbers as numbers, anything else as text."""
    return user_id if user_id is None or isinstance(user_id, int) else str(user_id)


@lru_cache(maxsize=1024)
def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the millisecond."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def role_group(role: str, user_id: UserId) -> str:
    return f"{GROUP_PREFIXES[role]}.{user_id}"


def groups_of(members: Iterable[Any]) -> list[str]:
    """The role groups of everybody who takes part now (participants, as models or as rows)."""
    return [
        role_group(member.role, member.user_id)
        for member in members
        if member.user_id is not None and not member.has_left
    ]


def presence_group(user_id: UserId) -> str:
    return f"presence.{user_id}"


def message_frame(message: MessageRecord, *, type: str = "chat_message") -> Frame:
    return {
        "type": type,
        "conversation": text_of(message.conversation_id),
        "id": message.id,
        "sequence": message.sequence,
        "revision": message.revision,
        "message": message.body,
        "username": message.username,
        "sender": {"id": public_id(message.sender_id), "role": message.role or None},
        "kind": message.kind,
        "created_at": iso(message.created_at),
        "edited_at": iso(message.edited_at),
        "deleted": message.deleted,
    }


def message_frame_for(
    message: MessageRecord, reader_id: UserId, *, type: str = "chat_message"
) -> Frame:
    """The frame as one reader gets it: only the sender sees the client's id."""
    frame = message_frame(message, type=type)
    if message.client_message_id and message.sender_id == reader_id:
        frame["client_message_id"] = str(message.client_message_id)
    return frame


def change_type(message: MessageRecord, after: int) -> str:
    """In a replay a message created after `after` comes as new, in its latest state."""
    return "chat_message" if message.created_revision > after else "message_changed"


def own_text(event: Event) -> str:
    """The frame for the sender's other connections."""
    if not event["client_message_id"]:
        return event["text"]
    return f'{event["text"][:-1]},"client_message_id":"{event["client_message_id"]}"}}'


def message_event(
    message: MessageRecord, *, groups: Iterable[str], origin: str = "", type: str = "chat_message"
) -> Event:
    frame = message_frame(message, type=type)
    return Event(
        type=type,
        groups=list(groups),
        conversation=frame["conversation"],
        user=frame["sender"]["id"],
        origin=origin,
        revision=message.revision,
        sequence=message.sequence,
        online=False,
        client_message_id=str(message.client_message_id or ""),
        text=encode(frame),
    )


def _plain_event(frame: Frame, *, groups: Iterable[str], user: UserId, origin: str = "") -> Event:
    return Event(
        type=frame["type"],
        groups=list(groups),
        conversation=str(frame.get("conversation", "")),
        user=public_id(user),
        origin=origin,
        revision=0,
        sequence=frame.get("sequence", 0),
        online=frame.get("online", False),
        client_message_id="",
        text=encode(frame),
    )


def read_event(
    *,
    conversation_id: UUID,
    user_id: UserId,
    sequence: int,
    groups: Iterable[str],
    origin: str = "",
) -> Event:
    frame = {
        "type": "read",
        "conversation": str(conversation_id),
        "user": public_id(user_id),
        "sequence": sequence,
    }
    return _plain_event(frame, groups=groups, user=user_id, origin=origin)


def typing_event(
    *,
    conversation_id: UUID,
    user_id: UserId,
    expires_in: int,
    groups: Iterable[str],
    origin: str,
) -> Event:
    frame = {
        "type": "typing",
        "conversation": str(conversation_id),
        "user": public_id(user_id),
        "expires_in": expires_in,
    }
    return _plain_event(frame, groups=groups, user=user_id, origin=origin)


def place_frame(place: Any) -> Frame:
    """A person's own marks on a conversation (`place`: their participant)."""
    return {
        "type": "place",
        "conversation": str(place.conversation_id),
        "archived": place.archived,
        "starred": place.starred,
        "muted": place.muted,
    }


def place_event(place: Any) -> Event:
    """To the person's own connections and nobody else's."""
    own = [role_group(place.role, place.user_id)]
    return _plain_event(place_frame(place), groups=own, user=place.user_id)


def blocks_event(*, user_id: UserId, other_id: UserId) -> Event:
    """For the two people's connections and not for clients: look anew who is shown to whom."""
    groups = [role_group(role, person) for role in GROUP_PREFIXES for person in (user_id, other_id)]
    event = _plain_event({"type": "blocks_changed"}, groups=groups, user=user_id)
    event["other"] = public_id(other_id)
    return event


def presence_event(*, user_id: UserId, online: bool, last_seen: str | None) -> Event:
    """`last_seen`: the day, YYYY-MM-DD."""
    frame = {
        "type": "presence",
        "user": public_id(user_id),
        "online": online,
        "last_seen": last_seen,
    }
    return _plain_event(frame, groups=[presence_group(user_id)], user=user_id)


def participants_frame(conversation_id: UUID, participants: list[Frame]) -> Frame:
    """`participants` as in `ready`."""
    return {
        "type": "participants",
        "conversation": str(conversation_id),
        "participants": participants,
    }


def participants_event(*, conversation_id: UUID, groups: Iterable[str]) -> Event:
    """Somebody came or went. A hint without names: each connection reads who is there now."""
    return _plain_event(participants_frame(conversation_id, []), groups=groups, user=None)


def removed_event(*, conversation_id: UUID, member: Any) -> Event:
    """To one participant who is none any more, whether they left or were taken out."""
    return _plain_event(
        {"type": "removed", "conversation": str(conversation_id)},
        groups=[role_group(member.role, member.user_id)],
        user=member.user_id,
    )


def session_event(*, user_id: UserId) -> Event:
    """For the processes and not for clients: look whether this person's sessions still live."""
    return _plain_event({"type": "session_check"}, groups=[SESSIONS_GROUP], user=user_id)


def error_frame(error: MessagingError, client_message_id: Any = None) -> Frame:
    frame: Frame = {"type": "error", **error.as_dict()}
    if client_message_id is not None:
        frame["client_message_id"] = str(client_message_id)
    return frame
