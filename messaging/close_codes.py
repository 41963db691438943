"""Why a socket ends. 44xx: come back. 45xx: do not.

All are 4xxx, because Daphne can send no other: autobahn refuses 1001–1015 from an application.
"""

from enum import IntEnum

from django.db import OperationalError

from messaging.exceptions import NotFound, Unauthenticated
from messaging.transport import TooSlow


class CloseCode(IntEnum):
    BINARY_FRAME = 4400
    TOO_SLOW = 4408
    INTERNAL_ERROR = 4411
    RESTART = 4412
    TRY_LATER = 4413
    FLOODING = 4429
    DISPLACED = 4430
    SESSION_ENDED = 4501
    NO_LONGER_PARTICIPANT = 4503


ENDS: dict[type[Exception], CloseCode] = {
    TooSlow: CloseCode.TOO_SLOW,
    Unauthenticated: CloseCode.SESSION_ENDED,
    NotFound: CloseCode.NO_LONGER_PARTICIPANT,  # A room, to somebody who is in it no longer.
    OperationalError: CloseCode.TRY_LATER,  # The database is away, or has more to do than it can.
}


def code_for(error: Exception) -> CloseCode:
    """With what a connection ends whose handler raised this."""
    codes = (code for kind, code in ENDS.items() if isinstance(error, kind))
    return next(codes, CloseCode.INTERNAL_ERROR)
