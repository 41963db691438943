"""What is asked of the database beside the product: who is still owed a mail, how many use it."""

import asyncio
import time
from dataclasses import dataclass

import psycopg

LOOK_EVERY = 0.5
OWED = """
SELECT (SELECT count(*) FROM messaging_participant WHERE notify_at IS NOT NULL)
     + (SELECT count(*) FROM notifications_delivery WHERE state IN ('pending', 'claimed'))
"""
# Nothing of the product's own waits for longer in a campaign, but after failures or by a clock that
# was wrong.
SOON, LONGEST_CLAIM = "interval '15 seconds'", "interval '5 minutes'"
LATER = f"state = 'pending' AND due_at > now() + {SOON}"
FAILED = f"{LATER} AND attempts > 0"
HELD = f"state IN ('pending', 'claimed') AND claimed_until > now() + {LONGEST_CLAIM}"
LOOKED_AT_LATER = f"notify_at > now() + {SOON}"
PUT_OFF = f"""
SELECT 'mail', n.recipient_id, n.key, d.attempts, extract(epoch FROM d.due_at - now())::float
FROM notifications_delivery d JOIN notifications_notification n ON n.id = d.notification_id
WHERE {LATER}
UNION ALL
SELECT 'claim', n.recipient_id, n.key, d.attempts,
       extract(epoch FROM d.claimed_until - now())::float
FROM notifications_delivery d JOIN notifications_notification n ON n.id = d.notification_id
WHERE {HELD}
UNION ALL
SELECT 'look', user_id, conversation_id::text, 0, extract(epoch FROM notify_at - now())::float
FROM messaging_participant WHERE user_id IS NOT NULL AND {LOOKED_AT_LATER}
"""
BRING_FAILED_FORWARD = (f"UPDATE notifications_delivery SET due_at = now() WHERE {FAILED}",)
BRING_ALL_FORWARD = (
    f"UPDATE notifications_delivery SET due_at = now() WHERE {LATER}",
    f"UPDATE notifications_delivery SET claimed_until = now() WHERE {HELD}",
    f"UPDATE messaging_participant SET notify_at = now() WHERE {LOOKED_AT_LATER}",
)
CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(slots=True)
class PutOff:
    """A `mail` that is to be sent only in so many seconds, a `claim` on one that holds for as long,
    or a `look` at who is owed one. `attempts`: of a mail, how often it was tried."""

    what: str
    recipient: int
    key: str
    attempts: int
    due_in: float


@dataclass
class LastMails:
    """How the last of them left: what was put off for long when they had been waited for, how many
    of that were brought forward, and whether all are there."""

    put_off: list[PutOff]
    brought_forward: int = 0
    all_left: bool = True


def see_last_mails_off(database_url: str, *, seconds: float, clocks_were_wrong: bool) -> LastMails:
    """First they are waited for, so that what is late stays late. Then, as when somebody who looks
    after the installation says so, what had failed is due now, and everything after a wrong clock;
    now and then once more: it may fail again. A slow machine may take longer for as long as fewer
    are owed."""
    if asyncio.run(wait_for_mails(database_url, seconds=seconds)):
        return LastMails([])
    last = LastMails(read_put_off(database_url))
    until, owed = time.monotonic() + seconds, count_owed(database_url)
    while time.monotonic() < until or count_owed(database_url) < owed:
        owed = count_owed(database_url)
        last.brought_forward += bring_forward(database_url, everything=clocks_were_wrong)
        if asyncio.run(wait_for_mails(database_url, seconds=15)):
            return last
    last.all_left = False
    return last


async def wait_for_mails(database_url: str, *, seconds: float) -> bool:
    """Whether nobody is owed anything any more. Gives up after `seconds`. Whoever is connected has
    their mails put off for as long, so everybody must have gone."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if await asyncio.to_thread(count_owed, database_url) == 0:
            return True
        await asyncio.sleep(LOOK_EVERY)
    return False


def read_put_off(database_url: str) -> list[PutOff]:
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        return [PutOff(*row) for row in connection.execute(PUT_OFF)]


def bring_forward(database_url: str, *, everything: bool) -> int:
    """How much that was. Whoever waits for the end of a campaign cannot wait an hour."""
    statements = BRING_ALL_FORWARD if everything else BRING_FAILED_FORWARD
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        return sum(connection.execute(statement).rowcount for statement in statements)


def count_owed(database_url: str) -> int:
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        row = connection.execute(OWED).fetchone()
    return int(row[0]) if row else 0


def count_connections(database_url: str) -> int:
    """Of everybody but the one who asks."""
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        row = connection.execute(CONNECTIONS).fetchone()
    return int(row[0]) if row else 0
