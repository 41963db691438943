"""What PostgreSQL has ended for somebody else's sake, and what is done about it."""

from collections.abc import Callable
from typing import TypeVar

from django.db import Error as DatabaseError
from django.db import connection

from messaging.exceptions import Unavailable

T = TypeVar("T")

# Of a prepared statement: it is not there (DISCARD ALL, say), is there already, or gives rows of
# other types than it did, since a table was changed.
MISPREPARED = frozenset({"26000", "42P05", "0A000"})


def attempt(write: Callable[[], T]) -> T:
    """A whole transaction; once more when it was the one that had to give way in a deadlock, or
    when what it had prepared is of no use any more.

    Raises Unavailable for what the database fails at.
    """
    try:
        try:
            return write()
        except DatabaseError as error:
            may_pass = is_deadlock(error) or _code_of(error) in MISPREPARED
            if not may_pass or connection.in_atomic_block:
                raise
            return write()
    except DatabaseError as error:
        raise Unavailable() from error


def is_deadlock(error: BaseException) -> bool:
    """Two waited for each other, and this one was ended. It may begin anew at once."""
    return _code_of(error) == "40P01"


def is_lock_timeout(error: BaseException) -> bool:
    """Somebody else has held a row for too long. The database itself is well."""
    return _code_of(error) == "55P03"


def _code_of(error: BaseException) -> str | None:
    code: str | None = getattr(error.__cause__, "sqlstate", None)
    return code
