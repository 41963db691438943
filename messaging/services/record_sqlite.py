"""The statements of `record` for SQLite: sets go in as one JSON array, rows come back as text.

The transaction began with IMMEDIATE, so the whole database is locked for writing already and no
statement needs to lock rows.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connection

from messaging.services.drafts import (
    ConversationRow,
    Draft,
    Locked,
    MessageIds,
    NewMessage,
    ParticipantRow,
    Patience,
    StoredMessage,
)
from messaging.services.holding import Hold
from messaging.services.record_tables import with_user_table

SELECT_CONVERSATIONS = """
SELECT id, state, last_sequence, revision, last_message_at, names
FROM messaging_conversation WHERE id IN (SELECT value FROM json_each(%s)) ORDER BY id
"""

SELECT_PARTICIPANTS = """
SELECT p.id, p.conversation_id, p.user_id, p.role, p.name, p.left_at IS NOT NULL,
       p.read_sequence, p.unread_count, p.waiting_since, p.archived, p.muted, p.last_activity_at,
       p.notify_at, p.notify_by, COALESCE(u.is_active, 0), COALESCE(u.password, ''),
       EXISTS (
           SELECT 1 FROM messaging_participant o JOIN messaging_block b
             ON (b.blocker_id = o.user_id AND b.blocked_id = p.user_id)
             OR (b.blocker_id = p.user_id AND b.blocked_id = o.user_id)
           WHERE o.conversation_id = p.conversation_id AND o.left_at IS NULL AND o.role <> p.role
       )
FROM messaging_participant p LEFT JOIN {user_table} u ON u.{user_key} = p.user_id
WHERE p.conversation_id IN (SELECT value FROM json_each(%s)) ORDER BY p.id
"""

FIND_STORED = """
SELECT m.sender_id, m.client_message_id, m.id, m.sequence, m.created_revision, m.created_at,
       m.body, m.original_digest
FROM json_each(%s) d
JOIN messaging_participant p ON p.conversation_id = json_extract(d.value, '$[0]')
JOIN messaging_message m ON m.sender_id = p.id
 AND m.client_message_id = json_extract(d.value, '$[1]')
"""

INSERT_MESSAGES = """
INSERT INTO messaging_message (conversation_id, sequence, created_revision, revision, sender_id,
                               kind, body, client_message_id, created_at)
SELECT json_extract(d.value, '$[0]'), json_extract(d.value, '$[1]'),
       json_extract(d.value, '$[2]'), json_extract(d.value, '$[2]'),
       json_extract(d.value, '$[3]'), json_extract(d.value, '$[4]'),
       json_extract(d.value, '$[5]'), json_extract(d.value, '$[6]'),
       json_extract(d.value, '$[7]')
FROM json_each(%s) d WHERE true
RETURNING sender_id, sequence, id
"""

UPDATE_CONVERSATIONS = """
UPDATE messaging_conversation
SET last_sequence = json_extract(d.value, '$[1]'), revision = json_extract(d.value, '$[2]'),
    last_message_at = json_extract(d.value, '$[3]')
FROM json_each(%s) d WHERE messaging_conversation.id = json_extract(d.value, '$[0]')
"""

UPDATE_PARTICIPANTS = """
UPDATE messaging_participant
SET name = json_extract(d.value, '$[1]'), read_sequence = json_extract(d.value, '$[2]'),
    waiting_since = json_extract(d.value, '$[4]'), archived = json_extract(d.value, '$[5]'),
    last_activity_at = json_extract(d.value, '$[6]'), notify_at = json_extract(d.value, '$[7]'),
    notify_by = json_extract(d.value, '$[8]'), changes = changes + 1,
    unread_count = CASE WHEN json_extract(d.value, '$[9]') THEN (
        SELECT count(*) FROM messaging_message m
        WHERE m.conversation_id = messaging_participant.conversation_id
          AND m.sequence > (json_extract(d.value, '$[2]')) AND m.kind <> 'system'
          AND m.sender_id IS NOT messaging_participant.id AND m.deleted_at IS NULL
    ) ELSE json_extract(d.value, '$[3]') END
FROM json_each(%s) d WHERE messaging_participant.id = json_extract(d.value, '$[0]')
"""


def _plain(value: Any) -> Any:
    """As Django stores it in SQLite: UUIDs as 32 digits, moments as naive UTC text."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    return value


def _json(rows: Iterable[Iterable[Any]]) -> list[str]:
    return [json.dumps([[_plain(value) for value in row] for row in rows])]


def _moment(value: Any) -> Any:
    """Django reads columns of a moment's type as naive, and leaves results of functions as text."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC) if value is not None else None


def read(drafts: Sequence[Draft], patience: Patience) -> Locked:
    """Everything that the batch is decided by. Nobody else writes meanwhile."""
    ids = json.dumps(sorted({draft.conversation_id.hex for draft in drafts}))
    keys = {(draft.conversation_id, draft.client_message_id) for draft in drafts}
    hold = Hold((draft.user_id, draft.session) for draft in drafts)
    with connection.cursor() as cursor:
        return Locked(
            conversations=_read_conversations(cursor, ids),
            participants=_read_participants(cursor, ids),
            stored=_find_stored(cursor, keys),
            held_by_others=set(),
            alive=hold.find_alive(None),
        )


def _read_conversations(cursor: Any, ids: str) -> list[ConversationRow]:
    cursor.execute(SELECT_CONVERSATIONS, [ids])
    return [
        ConversationRow(UUID(key), state, last, revision, _moment(at), names)
        for key, state, last, revision, at, names in cursor.fetchall()
    ]


def _read_participants(cursor: Any, ids: str) -> list[ParticipantRow]:
    cursor.execute(with_user_table(SELECT_PARTICIPANTS), [ids])
    return [_participant(row) for row in cursor.fetchall()]


def _participant(row: tuple[Any, ...]) -> ParticipantRow:
    participant = ParticipantRow(*row)
    participant.conversation_id = UUID(row[1])
    participant.user_id = get_user_model()._meta.pk.to_python(participant.user_id)
    participant.waiting_since = _moment(participant.waiting_since)
    participant.last_activity_at = _moment(participant.last_activity_at)
    participant.notify_at = _moment(participant.notify_at)
    participant.notify_by = _moment(participant.notify_by)
    return participant


def _find_stored(cursor: Any, keys: Iterable[tuple[UUID, UUID]]) -> list[StoredMessage]:
    cursor.execute(FIND_STORED, _json(keys))
    return [
        StoredMessage(sender, UUID(client_id), key, sequence, revision, _moment(at), body, digest)
        for sender, client_id, key, sequence, revision, at, body, digest in cursor.fetchall()
    ]


def write(
    messages: Sequence[NewMessage],
    conversations: Sequence[ConversationRow],
    participants: Sequence[ParticipantRow],
    *,
    commits: bool,
) -> MessageIds:
    """New messages and what they change. There is no way to save: Django commits."""
    with connection.cursor() as cursor:
        ids = _insert_messages(cursor, messages)
        _update_conversations(cursor, conversations)
        _update_participants(cursor, participants)
    return ids


def _insert_messages(cursor: Any, messages: Sequence[NewMessage]) -> MessageIds:
    rows = [
        (m.conversation_id, m.sequence, m.revision, m.sender_id, m.kind, m.body)
        + (m.client_message_id, m.created_at)
        for m in messages
    ]
    cursor.execute(INSERT_MESSAGES, _json(rows))
    return {(sender, sequence): key for sender, sequence, key in cursor.fetchall()}


def _update_conversations(cursor: Any, rows: Sequence[ConversationRow]) -> None:
    values = [(c.id, c.last_sequence, c.revision, c.last_message_at) for c in rows]
    cursor.execute(UPDATE_CONVERSATIONS, _json(values))


def _update_participants(cursor: Any, rows: Sequence[ParticipantRow]) -> None:
    values = [
        (p.id, p.name, p.read_sequence, p.unread_count, p.waiting_since, int(p.archived))
        + (p.last_activity_at, p.notify_at, p.notify_by, int(p.recount))
        for p in rows
    ]
    cursor.execute(UPDATE_PARTICIPANTS, _json(values))
