"""Signing in without the door: a session is a row, written straight into the database.

The door asks for a password, whose hash is slow on purpose, and counts who comes in how often.
"""

import secrets
import string
from collections.abc import Sequence

import psycopg

from tests.faults.servers.cast import Person

CHARACTERS = string.ascii_lowercase + string.digits
SESSION = """
    INSERT INTO django_session (session_key, session_data, expire_date)
    VALUES (%(key)s, %(data)s, now() + interval '14 days')
"""
# Beside it the row by which a log-out of all finds it.
LISTED = """
    INSERT INTO usersessions_usersession
        (user_id, created_at, ip, last_seen_at, session_key, user_agent, data)
    VALUES (%(user)s, now(), '127.0.0.1', now(), %(key)s, 'campaign', '{}')
"""


class Sessions:
    """Opens sessions of the cast."""

    def __init__(self, database_url: str, people: Sequence[Person]) -> None:
        self.database_url = database_url
        self.people = {person.id: person for person in people}

    async def open(self, person_id: int) -> str:
        """The key of a new session. psycopg.OperationalError while the database is away."""
        key = "".join(secrets.choice(CHARACTERS) for _ in range(32))
        values = {"key": key, "user": person_id, "data": self.people[person_id].session_data}
        connecting = psycopg.AsyncConnection.connect(self.database_url, connect_timeout=3)
        async with await connecting as connection:
            await connection.execute(SESSION, values)
            await connection.execute(LISTED, values)
        return key
