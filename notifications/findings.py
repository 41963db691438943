"""What a look at the installation finds, as Django's own check messages: every app of a host can
make them, and whoever shows them needs to know nothing else.
"""

from typing import Any

from django.core.checks import ERROR, INFO, WARNING, CheckMessage

FINE = INFO
UNKNOWN = 25  # Between “fine” and a warning: it could not be found out, and nothing is wrong.


def fine(sentence: Any) -> CheckMessage:
    return CheckMessage(FINE, sentence)


def unknown(sentence: Any, advice: Any = None) -> CheckMessage:
    return CheckMessage(UNKNOWN, sentence, hint=advice)


def doubtful(sentence: Any, advice: Any) -> CheckMessage:
    """It works, and one day it will not."""
    return CheckMessage(WARNING, sentence, hint=advice)


def wrong(sentence: Any, advice: Any) -> CheckMessage:
    """Something people rely on does not work."""
    return CheckMessage(ERROR, sentence, hint=advice)
