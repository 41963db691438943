"""The statements of `record` for PostgreSQL: sets go in as arrays, one statement each, and all that
reads leaves together, as does all that writes."""

from collections.abc import Sequence

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
from messaging.services.record_literals import flags, identifiers, moments, numbers, texts
from messaging.services.record_pipeline import Pipeline, Statement, together
from messaging.services.record_tables import with_user_table

LOCK_CONVERSATIONS = """
SELECT id, state, last_sequence, revision, last_message_at, names
FROM messaging_conversation WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""
# The same; from here to the end of the transaction every lock is waited for so long and no longer.
LOCK_CONVERSATIONS_SOON = """
WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '100ms', true))
SELECT c.id, c.state, c.last_sequence, c.revision, c.last_message_at, c.names
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
WHERE p.conversation_id /* whose */ ORDER BY p.id FOR NO KEY UPDATE OF p
"""
WHOSE = "/* whose */"
WANTED = "= ANY(%s::uuid[])"
# Who waits for nothing takes nobody's place in a conversation that somebody else holds.
HELD_HERE = """IN (
    SELECT id FROM messaging_conversation WHERE id = ANY(%s::uuid[])
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
)"""

# One look at an index for each: in a table that is not large yet the planner would read all of it.
FIND_STORED = """
SELECT m.sender_id, m.client_message_id, m.id, m.sequence, m.created_revision, m.created_at,
       m.body, m.original_digest
FROM unnest(%s::uuid[], %s::uuid[]) AS d(conversation_id, client_message_id)
CROSS JOIN LATERAL (
    SELECT id FROM messaging_participant WHERE conversation_id = d.conversation_id OFFSET 0
) AS p
CROSS JOIN LATERAL (
    SELECT * FROM messaging_message
    WHERE sender_id = p.id AND client_message_id = d.client_message_id OFFSET 0
) AS m
"""

INSERT_MESSAGES = """
INSERT INTO messaging_message (conversation_id, sequence, created_revision, revision, sender_id,
                               kind, body, client_message_id, created_at)
SELECT d.conversation_id, d.sequence, d.revision, d.revision, d.sender_id, d.kind, d.body,
       d.client_message_id, d.created_at
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[],
            %s::uuid[], %s::timestamptz[])
     AS d(conversation_id, sequence, revision, sender_id, kind, body, client_message_id, created_at)
RETURNING sender_id, sequence, id
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


def read(drafts: Sequence[Draft], patience: Patience) -> Locked:
    """Everything that the batch is decided by, locked in the order that holds everywhere."""
    hold = Hold(
        ((draft.user_id, draft.session) for draft in drafts), wait=patience is Patience.LONG
    )
    by_number = {draft.conversation_id.int: draft.conversation_id for draft in drafts}
    ids = identifiers(by_number[number] for number in sorted(by_number))
    with together() as pipeline:
        people = pipeline.execute(hold.statement(), hold.parameters()) if hold.is_needed() else None
        conversations = _lock_conversations(pipeline, ids, patience)
        participants = _lock_participants(pipeline, ids, patience)
        stored = _find_stored(pipeline, drafts)
    row = people.fetchone() if people else None
    return Locked(
        conversations=[ConversationRow(*row) for row in conversations.fetchall()],
        participants=[ParticipantRow(*row) for row in participants.fetchall()],
        stored=[StoredMessage(*row) for row in stored.fetchall()],
        held_by_others=hold.find_held_by_others(row) if row else set(),
        alive=hold.find_alive(row),
    )


def _lock_conversations(pipeline: Pipeline, ids: str, patience: Patience) -> Statement:
    statements = {
        Patience.LONG: LOCK_CONVERSATIONS,
        Patience.SHORT: LOCK_CONVERSATIONS_SOON,
        Patience.NONE: f"{LOCK_CONVERSATIONS} SKIP LOCKED",
    }
    return pipeline.execute(statements[patience], [ids])


def _lock_participants(pipeline: Pipeline, ids: str, patience: Patience) -> Statement:
    statement = with_user_table(LOCK_PARTICIPANTS)
    if patience is Patience.NONE:
        return pipeline.execute(f"{statement.replace(WHOSE, HELD_HERE)} SKIP LOCKED", [ids])
    return pipeline.execute(statement.replace(WHOSE, WANTED), [ids])


def _find_stored(pipeline: Pipeline, drafts: Sequence[Draft]) -> Statement:
    """Under the drafts' ids, by anybody who takes part: whose they are is looked at later."""
    found = {(draft.conversation_id.int, draft.client_message_id.int): draft for draft in drafts}
    conversations = identifiers(draft.conversation_id for draft in found.values())
    client_ids = identifiers(draft.client_message_id for draft in found.values())
    return pipeline.execute(FIND_STORED, [conversations, client_ids])


def write(
    messages: Sequence[NewMessage],
    conversations: Sequence[ConversationRow],
    participants: Sequence[ParticipantRow],
    *,
    commits: bool,
) -> MessageIds:
    """New messages and what they change."""
    with together(commits=commits) as pipeline:
        inserted = _insert_messages(pipeline, messages)
        _update_conversations(pipeline, conversations)
        _update_participants(pipeline, participants)
    return {(sender, sequence): key for sender, sequence, key in inserted.fetchall()}


def _insert_messages(pipeline: Pipeline, messages: Sequence[NewMessage]) -> Statement:
    columns = [
        identifiers(m.conversation_id for m in messages),
        numbers(m.sequence for m in messages),
        numbers(m.revision for m in messages),
        numbers(m.sender_id for m in messages),
        texts(m.kind for m in messages),
        texts(m.body for m in messages),
        identifiers(m.client_message_id for m in messages),
        moments(m.created_at for m in messages),
    ]
    return pipeline.execute(INSERT_MESSAGES, columns)


def _update_conversations(pipeline: Pipeline, rows: Sequence[ConversationRow]) -> None:
    columns = [
        identifiers(row.id for row in rows),
        numbers(row.last_sequence for row in rows),
        numbers(row.revision for row in rows),
        moments(row.last_message_at for row in rows),
    ]
    pipeline.execute(UPDATE_CONVERSATIONS, columns)


def _update_participants(pipeline: Pipeline, rows: Sequence[ParticipantRow]) -> None:
    columns = [
        numbers(row.id for row in rows),
        texts(row.name for row in rows),
        numbers(row.read_sequence for row in rows),
        numbers(row.unread_count for row in rows),
        moments(row.waiting_since for row in rows),
        flags(row.archived for row in rows),
        moments(row.last_activity_at for row in rows),
        moments(row.notify_at for row in rows),
        moments(row.notify_by for row in rows),
        flags(row.recount for row in rows),
    ]
    pipeline.execute(UPDATE_PARTICIPANTS, columns)
