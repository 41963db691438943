"""Places between a COMMIT and what follows from it, at which a process can be made to die.

For `bin/faults failpoints` and nothing else: FAILPOINT in the environment names one of them, and
whoever reaches it ends there as if it had been killed with -9. Nothing is flushed, closed or rolled
back. Without FAILPOINT a place is one comparison of two strings. `messaging` uses this module too.
"""

import os

# As a shell says it of a process that was killed with -9.
KILLED = 137

# Read once. Any other word than the name of a place does nothing; checks and doctor warn of it.
ARMED = os.environ.get("FAILPOINT", "")
_left = int(os.environ.get("FAILPOINT_AFTER") or 1) if ARMED else 0


def reach(place: str) -> None:
    """Die here when this is the place, for the `FAILPOINT_AFTER`th time."""
    if place == ARMED:
        _count_and_die()


def _count_and_die() -> None:
    global _left
    _left -= 1
    if _left <= 0:
        os._exit(KILLED)


def arm(place: str, *, after: int = 1) -> None:
    """In a process that was forked and read its environment long ago."""
    global ARMED, _left
    ARMED, _left = place, after
