"""What is in the database, read past the product, and whether it is sound."""

from typing import Any

import psycopg

# As the product counts: others' messages after the read position that are not taken back.
UNREAD = """
SELECT p.id, p.unread_count, (
    SELECT count(*) FROM messaging_message m
    WHERE m.conversation_id = p.conversation_id AND m.sequence > p.read_sequence
      AND m.kind <> 'system' AND m.sender_id IS DISTINCT FROM p.id AND m.deleted_at IS NULL)
FROM messaging_participant p WHERE p.conversation_id = %s AND p.left_at IS NULL
"""
MESSAGES = """
SELECT sequence, revision, CASE WHEN deleted_at IS NULL THEN body ELSE '' END,
       deleted_at IS NOT NULL
FROM messaging_message WHERE conversation_id = %s ORDER BY sequence
"""
HEAD = "SELECT last_sequence, revision FROM messaging_conversation WHERE id = %s"

State = dict[int, tuple[int, str, bool]]


class Facts:
    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement.encode(), values).fetchall()

    def count(self, statement: str, *values: Any) -> int:
        return int(self.ask(statement, *values)[0][0])

    def change(self, statement: str, *values: Any) -> None:
        self.connection.execute(statement.encode(), values)

    def read_messages(self, conversation: str) -> State:
        rows = self.ask(MESSAGES, conversation)
        return {sequence: (revision, body, gone) for sequence, revision, body, gone in rows}

    def judge(self, conversation: str) -> list[str]:
        """Gaps, doubles and wrong counts, in words."""
        messages = self.read_messages(conversation)
        last_sequence, revision = self.ask(HEAD, conversation)[0]
        revisions = sorted(message[0] for message in messages.values())
        wrong = []
        if list(messages) != list(range(1, last_sequence + 1)):
            wrong.append(f"sequences {list(messages)} up to {last_sequence}")
        if len(set(revisions)) != len(revisions) or revisions[-1] != revision:
            wrong.append(f"revisions {revisions} up to {revision}")
        for place, kept, counted in self.ask(UNREAD, conversation):
            if kept != counted:
                wrong.append(f"{kept} unread of {counted} for participant {place}")
        return wrong
