"""The beginning and the end of a web process, whichever server is in it."""

import gc
import logging
import os
import sys
from typing import NoReturn

# Python's collector looks at what is new each time so many objects more have been made than
# deleted, and at everything each time what is left of that has grown by a quarter. Its 700 are made
# and deleted again with each batch of messages: it would look at everything once a second, for 10
# to 30 ms in which nobody hears anything, and what is made for a message goes without it.
NEW_OBJECTS = 25_000
# Of the time for ending, for what goes on until it is cancelled; and at least so many seconds.
CANCEL_SHARE, LEAST_CANCEL_SECONDS = 0.1, 0.1


def cancelling_seconds(seconds: float) -> float:
    """Of so many for the whole end."""
    return max(seconds * CANCEL_SHARE, LEAST_CANCEL_SECONDS)


def leave_program_alone() -> None:
    """What has been loaded stays until the end. The collector, which would look through all of it
    again and again while everybody waits, looks from now on only through what came after."""
    gc.collect()  # What loading left over, before it would stay for ever.
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
    gc.enable()


def leave() -> NoReturn:
    """Without Python's own end, which waits for every thread, however long one has to wait for a
    database that does not answer: whose work it is has been told to come back."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
