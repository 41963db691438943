"""What there is when everything has come to rest: straight from the database and the mail server.

Moments in the database are left out, since the clocks of the processes jump in a campaign. What a
mail carries is the run's own clock (`History.now`) at the end of its DATA.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.servers.mails import KeptMail
from tests.faults.servers.quiet import PutOff
from tests.faults.servers.stack import Stack

KINDS_OF_NEWS = "messaging"
OPEN_STATES = ("pending", "claimed")


@dataclass(slots=True)
class StoredMessage:
    """`sender` is a person's public id, None for nobody; `key` the client's id of it, `id` the
    server's."""

    conversation: str
    sequence: int
    created_revision: int
    revision: int
    sender: int | None
    kind: str
    body: str
    key: str | None
    edited: bool
    deleted: bool
    id: int = 0


@dataclass(slots=True)
class Place:
    """Somebody's part in a conversation. `waits`: a look at who is owed a notice is still due."""

    user: int
    role: str
    read_sequence: int
    unread: int
    left: bool
    muted: bool
    notified_sequence: int
    waits: bool
    archived: bool = False
    starred: bool = False
    name: str = ""


@dataclass(slots=True)
class Conversation:
    """Messages in the order of their sequence; `places` by person."""

    id: str
    listing: str
    last_sequence: int
    revision: int
    places: dict[int, Place] = field(default_factory=dict)
    messages: list[StoredMessage] = field(default_factory=list)


@dataclass(slots=True)
class Delivery:
    """`reasons` are those of its trail, in the order of their first time; `why` the one for which
    it was dropped or given up, if it was. `due_in`: seconds, of one that is still to be sent.
    `attempts`, since it was last put off for no failure, and how many failures its trail has: the
    first is None in old files."""

    message_id: str
    state: str
    reasons: list[str]
    why: str = ""
    due_in: float | None = None
    attempts: int | None = None
    retries: int = 0


@dataclass(slots=True)
class Notification:
    """`key` is the conversation's id; the span is in its sequences, both ends included."""

    recipient: int
    key: str
    first: int
    last: int
    cancelled: bool
    deliveries: list[Delivery] = field(default_factory=list)


@dataclass(slots=True)
class Mail:
    """`at` is the end of DATA in seconds of the run; `fault` what the mail server did then instead
    of saying that it has it. `headers`: a line each, the subject among them; empty, like `html`, in
    old files."""

    at: float
    to: str
    message_id: str
    text: str
    fault: str = ""
    headers: str = ""
    html: str = ""


@dataclass(slots=True)
class Refusal:
    """A mail that the mail server did not take, at the end of its DATA in seconds of the run."""

    at: float
    to: str
    code: int
    permanent: bool


@dataclass(slots=True)
class Photo:
    name: str
    is_stored: bool


@dataclass
class FinalState:
    """`at`: when it was read, in seconds of the run. `people`: address by public id. `refusals` is
    None where the mail server did not write them down. `put_off`: what was not due for long when
    the mails had been waited for, before any was brought forward; None in old files."""

    at: float
    conversations: dict[str, Conversation] = field(default_factory=dict)
    people: dict[int, str] = field(default_factory=dict)
    blocks: set[tuple[int, int]] = field(default_factory=set)
    notifications: list[Notification] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    refusals: list[Refusal] | None = None
    photos: list[Photo] = field(default_factory=list)
    server: str = ""  # PostgreSQL's version.
    put_off: list[PutOff] | None = None


CONVERSATIONS = """
SELECT c.id::text, coalesce(l.slug, ''), c.last_sequence, c.revision
FROM messaging_conversation c LEFT JOIN listings_listing l ON l.id = c.listing_id
"""
PLACES = """
SELECT conversation_id::text, user_id, role, read_sequence, unread_count, left_at IS NOT NULL,
       muted, notified_sequence, notify_at IS NOT NULL, archived, starred, name
FROM messaging_participant WHERE user_id IS NOT NULL ORDER BY id
"""
MESSAGES = """
SELECT m.conversation_id::text, m.sequence, m.created_revision, m.revision, p.user_id, m.kind,
       m.body, m.client_message_id::text, m.edited_at IS NOT NULL, m.deleted_at IS NOT NULL, m.id
FROM messaging_message m LEFT JOIN messaging_participant p ON p.id = m.sender_id
ORDER BY m.conversation_id, m.sequence
"""
NOTIFICATIONS = """
SELECT id, recipient_id, key, first_sequence, last_sequence, cancelled_at IS NOT NULL
FROM notifications_notification WHERE source = %s ORDER BY recipient_id, key, first_sequence
"""
DELIVERIES = """
SELECT notification_id, message_id, state, trail,
       extract(epoch FROM due_at - clock_timestamp())::float, attempts
FROM notifications_delivery ORDER BY first_due_at
"""
PEOPLE = """
SELECT u.id, coalesce(e.email, u.email) FROM accounts_user u
LEFT JOIN account_emailaddress e ON e.user_id = u.id AND e.verified AND e.primary
"""


def read_final_state(stack: Stack, *, began: float, now: float) -> FinalState:
    """Everything at rest. `began` is `History.began`, by which the mails' moments become seconds of
    the run; `now` is `History.now()`."""
    final = read_database(stack.direct_database_url, now=now, media=stack.directory / "media")
    final.mails = [describe_mail(mail, began) for mail in stack.mails.kept]
    final.refusals = [
        Refusal(each.at - began, ", ".join(each.recipients), each.code, each.permanent)
        for each in stack.mails.refusals
    ]
    return final


def read_database(url: str, *, now: float, media: Path | None = None) -> FinalState:
    final = FinalState(at=now)
    with psycopg.connect(url) as connection:
        # One moment for all of it: a request that everybody has given up may still be at work.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        for row in connection.execute(CONVERSATIONS):
            final.conversations[row[0]] = Conversation(*row)
        for key, *place in connection.execute(PLACES):
            final.conversations[key].places[place[0]] = Place(*place)
        _read_messages(connection, final)
        _read_notifications(connection, final)
        final.server = str(connection.info.parameter_status("server_version") or "")
        final.people = dict(connection.execute(PEOPLE).fetchall())
        blocks = connection.execute("SELECT blocker_id, blocked_id FROM messaging_block")
        final.blocks = {(blocker, blocked) for blocker, blocked in blocks}
        final.photos = list(_read_photos(connection, media)) if media else []
    return final


def _read_messages(connection: "psycopg.Connection[Any]", final: FinalState) -> None:
    """Through a cursor of the server's: an hour's messages are not held twice."""
    with connection.cursor(name="messages") as cursor:
        cursor.itersize = 20_000
        cursor.execute(MESSAGES)
        for row in cursor:
            conversation = final.conversations[row[0]]
            # Every message shares its conversation's own string.
            conversation.messages.append(StoredMessage(conversation.id, *row[1:]))


def _read_notifications(connection: "psycopg.Connection[Any]", final: FinalState) -> None:
    found: dict[Any, Notification] = {}
    for key, *row in connection.execute(NOTIFICATIONS, [KINDS_OF_NEWS]):
        found[key] = Notification(*row)
    for key, *row in connection.execute(DELIVERIES):
        if key in found:
            found[key].deliveries.append(_describe_delivery(*row))
    final.notifications = list(found.values())


def _describe_delivery(
    message_id: str, state: str, trail: list[dict[str, Any]], due_in: float, attempts: int
) -> Delivery:
    reasons = [entry.get("why", entry["what"]) for entry in trail]
    ends = [entry.get("why", "") for entry in trail if entry["what"] in ("cancelled", "failed")]
    why = ends[-1] if ends and state in ("cancelled", "failed") else ""
    left = due_in if state in OPEN_STATES else None
    retries = sum(entry.get("times", 1) for entry in trail if entry["what"] == "retrying")
    return Delivery(message_id, state, reasons, why, left, attempts, retries)


def _read_photos(connection: "psycopg.Connection[Any]", media: Path) -> Iterable[Photo]:
    for (name,) in connection.execute("SELECT large FROM listings_photo"):
        yield Photo(name, (media / name).is_file())


def describe_mail(kept: KeptMail, began: float) -> Mail:
    message = kept.message
    return Mail(
        at=kept.at - began,
        to=", ".join(kept.recipients),
        message_id=str(message["Message-ID"]).strip(),
        text=read_part(message, "plain"),
        fault=kept.fault,
        headers="\n".join(f"{name}: {value}" for name, value in message.items()),
        html=read_part(message, "html"),
    )


def read_part(message: EmailMessage, kind: str) -> str:
    """Empty where a mail has none of this kind."""
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""
