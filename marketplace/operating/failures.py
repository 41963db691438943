"""Failures that nobody catches go through the log too: Python would print them, message and all."""

import logging
import sys
import threading
from typing import Any

logger = logging.getLogger("marketplace.failures")


def log_what_nobody_catches() -> None:
    threading.excepthook = log_thread_failure
    sys.unraisablehook = log_unraisable


def log_thread_failure(failure: Any) -> None:
    if failure.exc_type is not SystemExit and failure.exc_value is not None:
        information = (failure.exc_type, failure.exc_value, failure.exc_traceback)
        logger.error("A thread ended with a failure", exc_info=information)


def log_unraisable(failure: Any) -> None:
    # While Python ends nothing can be imported any more, which writing to the log needs.
    if failure.exc_value is not None and not sys.is_finalizing():
        information = (failure.exc_type, failure.exc_value, failure.exc_traceback)
        logger.error("A failure that could not be raised", exc_info=information)
