"""The statements of `record` for PostgreSQL: sets go in as arrays, one statement each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from messaging.services.drafts import (
    ConversationRow,
    NewMessage,
    ParticipantRow,
    Patience,
    StoredMessage,
)
from messaging.services.record_tables import with_user_table

LOCK_CONVERSATIONS = """
SELECT id, state, last_sequence, revision, last_message_at
FROM messaging_conversation WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""
# The same; from here to the end of the transaction every lock is waited for so long and no longer.
LOCK_CONVERSATIONS_SOON = """
WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '100ms', true))
SELECT c.id, c.state, c.last_sequence, c.revision, c.last_message_at
FROM patience, messaging_conversation c
WHERE c.id = ANY(%s::uuid[]) ORDER BY c.id FOR NO KEY UPDATE OF c
"""

LOCK_PARTICIPANTS = """
SELECT p.id, p.conversation_id, p.user_id, p.role, p.name, p.left_at IS NOT NULL,
       p.read_sequence, p.unread_count, p.waiting_since, p.archived, p.muted, p.last_activity_at,
       p.notify_at, p.notify_by, COALESCE(u.is_active, false), COALESCE(u.password, ''),
       EXISTS (
           SELECT 1 FROM messaging_participant o JOIN messaging_block b
             ON (b.blocker_id = o.user_id AND b.blocked_id = p.user_id)
             OR (b.blocker_id = p.user_id AND b.blocked_id = o.user_id)
           WHERE o.conversation_id = p.conversation_id AND o.left_at IS NULL AND o.role <> p.role
       )
FROM messaging_participant p LEFT JOIN {user_table} u ON u.{user_key} = p.user_id
WHERE p.conversation_id = ANY(%s::uuid[]) ORDER BY p.id FOR NO KEY UPDATE OF p
"""

FIND_STORED = """
SELECT m.sender_id, m.client_message_id, m.id, m.sequence, m.created_revision, m.created_at,
       m.body, m.original_digest
FROM unnest(%s::bigint[], %s::uuid[]) AS d(sender_id, client_message_id)
JOIN messaging_message m USING (sender_id, client_message_id)
"""

INSERT_MESSAGES = """
INSERT INTO messaging_message (conversation_id, sequence, created_revision, revision, sender_id,
                               kind, body, client_message_id, created_at)
SELECT d.conversation_id, d.sequence, d.revision, d.revision, d.sender_id, d.kind, d.body,
       d.client_message_id, d.created_at
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[],
            %s::uuid[], %s::timestamptz[])
     AS d(conversation_id, sequence, revision, sender_id, kind, body, client_message_id, created_at)
RETURNING conversation_id, sequence, id
"""

UPDATE_CONVERSATIONS = """
UPDATE messaging_conversation c
SET last_sequence = d.last_sequence, revision = d.revision, last_message_at = d.last_message_at
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::timestamptz[])
     AS d(id, last_sequence, revision, last_message_at)
WHERE c.id = d.id
"""

UPDATE_PARTICIPANTS = """
UPDATE messaging_participant p
SET name = d.name, read_sequence = d.read_sequence, waiting_since = d.waiting_since,
    archived = d.archived, last_activity_at = d.last_activity_at, notify_at = d.notify_at,
    notify_by = d.notify_by, changes = p.changes + 1,
    unread_count = CASE WHEN d.recount THEN (
        SELECT count(*) FROM messaging_message m
        WHERE m.conversation_id = p.conversation_id AND m.sequence > d.read_sequence
          AND m.kind <> 'system' AND m.sender_id IS DISTINCT FROM p.id AND m.deleted_at IS NULL
    ) ELSE d.unread_count END
FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::boolean[],
            %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::boolean[])
     AS d(id, name, read_sequence, unread_count, waiting_since, archived, last_activity_at,
          notify_at, notify_by, recount)
WHERE p.id = d.id
"""


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def lock_conversations(
    cursor: Any, ids: Sequence[UUID], patience: Patience
) -> list[ConversationRow]:
    statements = {
        Patience.LONG: LOCK_CONVERSATIONS,
        Patience.SHORT: LOCK_CONVERSATIONS_SOON,
        Patience.NONE: f"{LOCK_CONVERSATIONS} SKIP LOCKED",
    }
    cursor.execute(statements[patience], [list(ids)])
    return [ConversationRow(*row) for row in cursor.fetchall()]


def lock_participants(
    cursor: Any, conversation_ids: Sequence[UUID], patience: Patience
) -> list[ParticipantRow]:
    how = " SKIP LOCKED" if patience is Patience.NONE else ""
    cursor.execute(with_user_table(LOCK_PARTICIPANTS + how), [list(conversation_ids)])
    return [ParticipantRow(*row) for row in cursor.fetchall()]


def find_stored(cursor: Any, keys: Sequence[tuple[int, UUID]]) -> list[StoredMessage]:
    cursor.execute(FIND_STORED, _columns(keys))
    return [StoredMessage(*row) for row in cursor.fetchall()]


def insert_messages(cursor: Any, messages: Sequence[NewMessage]) -> dict[tuple[UUID, int], int]:
    rows = [
        (m.conversation_id, m.sequence, m.revision, m.sender_id, m.kind, m.body)
        + (m.client_message_id, m.created_at)
        for m in messages
    ]
    cursor.execute(INSERT_MESSAGES, _columns(rows))
    return {(conversation, sequence): key for conversation, sequence, key in cursor.fetchall()}


def update_conversations(cursor: Any, rows: Sequence[ConversationRow]) -> None:
    values = [(c.id, c.last_sequence, c.revision, c.last_message_at) for c in rows]
    cursor.execute(UPDATE_CONVERSATIONS, _columns(values))


def update_participants(cursor: Any, rows: Sequence[ParticipantRow]) -> None:
    values = [
        (p.id, p.name, p.read_sequence, p.unread_count, p.waiting_since, p.archived)
        + (p.last_activity_at, p.notify_at, p.notify_by, p.recount)
        for p in rows
    ]
    cursor.execute(UPDATE_PARTICIPANTS, _columns(values))
