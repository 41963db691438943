"""What a log or a trail may say about an exception.

An exception of a mail server or a database carries addresses and texts in its message, so only
its kind and its place are told.
"""

import traceback
from pathlib import Path


def describe_failure(error: BaseException) -> str:
    """Like `SMTPServerDisconnected at smtplib.py:405`."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
