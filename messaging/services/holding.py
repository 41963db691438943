"""What is written in a session is stored before the session ends, or not at all.

Whether a session is alive is asked in the transaction that writes; but under PostgreSQL it could
end, and its end be committed, between that question and the write's own commit. So the rows that
an end changes are held until then. SQLite lets one write at a time and needs none of it.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from messaging import sessions
from messaging.events import UserId
from messaging.selectors.connections import check_session
from messaging.services.record_literals import texts
from messaging.services.record_tables import with_user_table
from messaging.sessions import SessionStamp

# A new password and a deactivation change the person's row; whoever logs out deletes a session.
# A lock that others may share with it would be granted past them while they wait, for as long as
# writes overlap: one person's writes go one after the other.
PEOPLE = """
SELECT {user_key} AS id FROM {user_table} WHERE {user_key} = ANY(%s)
ORDER BY {user_key} FOR NO KEY UPDATE
"""
SESSIONS = """
SELECT session_key AS id, expire_date > %s AS lives FROM {session_table}
WHERE session_key = ANY(%s) ORDER BY session_key FOR KEY SHARE
"""
BOTH = """
WITH people AS ({people}), sessions AS ({sessions})
SELECT (SELECT array_agg(id) FROM people), (SELECT array_agg(id) FROM sessions),
       (SELECT array_agg(id) FROM sessions WHERE lives)
"""
# In a database that knows of no sessions an end is a new password or a deactivation.
ONLY_PEOPLE = "WITH people AS ({people}) SELECT array_agg(id) FROM people"


class Hold:
    """The statement that holds people and their sessions, and what its one row means."""

    def __init__(
        self, people: Iterable[tuple[UserId, SessionStamp | None]], *, wait: bool = True
    ) -> None:
        self._held = [(user_id, stamp.key) for user_id, stamp in people if stamp is not None]
        self._wait = wait
        self._with_sessions = sessions.are_in_database()

    def is_needed(self) -> bool:
        return bool(self._held) and connection.vendor == "postgresql"

    def statement(self) -> str:
        return _statement(self._wait, self._with_sessions)

    def parameters(self) -> list[Any]:
        users = texts({str(user_id) for user_id, _ in self._held})
        keys = texts({key for _, key in self._held})
        return [users, timezone.now(), keys] if self._with_sessions else [users]

    def find_held_by_others(self, row: Sequence[Any]) -> set[UserId]:
        """Whose row or session somebody else holds, or is there no more, if it was not to wait."""
        if self._wait:  # Those that are missing are gone.
            return set()
        people, *keys = (set(ids or ()) for ids in row[:2])
        return {
            user_id
            for user_id, key in self._held
            if user_id not in people or (keys and key not in keys[0])
        }

    def find_alive(self, row: Sequence[Any] | None) -> set[str]:
        """The keys of the sessions that have not ended: they cannot any more while they are held.
        `row`: None when nothing was."""
        if row is not None and self._with_sessions:
            return set(row[2] or ())
        return sessions.find_alive({key for _, key in self._held})


def hold_sessions(
    people: Iterable[tuple[UserId, SessionStamp | None]], *, wait: bool = True
) -> set[UserId]:
    """In a transaction and before it locks anything else: people come first, then sessions,
    conversations, participants. One statement, whatever the number; none for who has no session.

    `wait=False`: what others hold, or what is there no more, is left out. Gives whose it is.
    """
    hold = Hold(people, wait=wait)
    if not hold.is_needed():
        return set()
    with connection.cursor() as cursor:
        cursor.execute(hold.statement(), hold.parameters())
        return hold.find_held_by_others(cursor.fetchone())


@cache
def _statement(wait: bool, with_sessions: bool) -> str:
    how = "" if wait else "SKIP LOCKED"
    parts = {"people": f"{PEOPLE} {how}", "sessions": f"{SESSIONS} {how}"}
    statement = (BOTH if with_sessions else ONLY_PEOPLE).format(**parts)
    return with_user_table(statement.replace("{session_table}", Session._meta.db_table))


def wait_at_most(seconds: float) -> None:
    """For a lock, until the transaction ends. Longer than that is an error (`is_lock_timeout`)."""
    if connection.vendor == "postgresql":
        milliseconds = max(1, round(seconds * 1000))  # 0 would be for ever.
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {milliseconds}")


def require_session(user_id: UserId, session: SessionStamp | None) -> None:
    """Hold it and ask whether it is alive. Raises Unauthenticated."""
    if session is not None:
        hold_sessions([(user_id, session)])
        check_session(user_id, session)
