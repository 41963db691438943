"""Why a socket ends. 44xx: come back. 45xx: do not.

All are 4xxx, because Daphne can send no other: autobahn refuses 1001–1015 from an application.
"""

from enum import IntEnum


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
