"""What is asked of the database beside the product: who is still owed a mail, how many use it."""

import asyncio
import time

import psycopg

LOOK_EVERY = 0.5
OWED = """
SELECT (SELECT count(*) FROM messaging_participant WHERE notify_at IS NOT NULL)
     + (SELECT count(*) FROM notifications_delivery WHERE state IN ('pending', 'claimed'))
"""
# Nothing of the product's own waits for longer in a campaign, but after a failure or by a clock
# that was wrong.
BRING_FORWARD = (
    "UPDATE notifications_delivery SET due_at = now()"
    " WHERE state = 'pending' AND due_at > now() + interval '15 seconds'",
    "UPDATE notifications_delivery SET claimed_until = now()"
    " WHERE state = 'claimed' AND claimed_until > now() + interval '5 minutes'",
    "UPDATE messaging_participant SET notify_at = now()"
    " WHERE notify_at > now() + interval '15 seconds'",
)
CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


async def wait_for_mails(database_url: str, *, seconds: float) -> bool:
    """Whether nobody is owed anything any more. Gives up after `seconds`. Whoever is connected has
    their mails put off for as long, so everybody must have gone."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if await asyncio.to_thread(count_owed, database_url) == 0:
            return True
        await asyncio.sleep(LOOK_EVERY)
    return False


def bring_forward(database_url: str) -> int:
    """What was put off for long is due now, as when somebody who looks after the installation says
    so; how much that was. Whoever waits for the end of a campaign cannot wait an hour."""
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        return sum(connection.execute(statement).rowcount for statement in BRING_FORWARD)


def count_owed(database_url: str) -> int:
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        row = connection.execute(OWED).fetchone()
    return int(row[0]) if row else 0


def count_connections(database_url: str) -> int:
    """Of everybody but the one who asks."""
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        row = connection.execute(CONNECTIONS).fetchone()
    return int(row[0]) if row else 0
