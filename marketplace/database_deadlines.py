"""No thread waits for ever for PostgreSQL.

`statement_timeout` is kept by the server. One that is stopped, or behind a network that swallows
packets, keeps nothing, and libpq has no deadline of its own for an answer: the thread that commits
what comes over sockets would wait until somebody restarts the process.
"""

from typing import Any

import psycopg
from psycopg import errors

# How much longer than the server's own limit an answer may take, which the server should give.
GRACE_SECONDS = 2.0
# For the answer to nothing, by which the pool finds out whether a connection still lives.
CHECK_SECONDS = 3.0
# For packets that are never acknowledged, and a silence while an answer is waited for.
KEEPALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,  # Milliseconds.
}


class WaitingConnection(psycopg.Connection[Any]):
    """Gives up an answer after `answer_seconds`, and itself with it: nobody knows what it was."""

    answer_seconds: float

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, timeout or self.answer_seconds)
        except errors._WaitTimeout as error:
            self.pgconn.finish()
            raise psycopg.OperationalError("the database does not answer") from error

    def execute(self, query: Any, *arguments: Any, **options: Any) -> psycopg.Cursor[Any]:
        """The pool executes nothing in it, to find out whether it lives."""
        if query != "":
            return super().execute(query, *arguments, **options)
        self.answer_seconds = min(CHECK_SECONDS, type(self).answer_seconds)
        try:
            return super().execute(query, *arguments, **options)
        finally:
            del self.answer_seconds


def choose_connection_class(statement_seconds: float) -> type[psycopg.Connection[Any]]:
    """For the pool. 0 is no limit: a command takes the time it needs."""
    if not statement_seconds:
        return psycopg.Connection
    seconds = statement_seconds + GRACE_SECONDS
    return type("WaitingConnection", (WaitingConnection,), {"answer_seconds": seconds})
