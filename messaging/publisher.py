"""Publishing, for code on any thread."""

import atexit
import logging
from collections.abc import Sequence
from functools import cache

from messaging import runtime
from messaging.bus import DEADLINE_SECONDS, current_bus
from messaging.events import Event
from messaging.hub import current_hub
from notifications import failpoints

logger = logging.getLogger(__name__)

# A command of one line ends before its last event has left: its thread would go with it.
END_SECONDS = 2 * DEADLINE_SECONDS


def publish(events: Sequence[Event]) -> None:
    """Tell everybody connected, here and elsewhere. After the commit. Never waits, never fails."""
    failpoints.reach("publisher.committed")
    if events:
        _finish_at_exit()
        runtime.hand_over(_publish, list(events))
    failpoints.reach("publisher.handed_over")


def _publish(events: list[Event]) -> None:
    current_hub().publish(events)


@cache
def _finish_at_exit() -> None:
    atexit.register(_finish)


def _finish() -> None:
    """Whoever serves sockets has done so while draining (`messaging.draining`)."""
    try:
        runtime.run_in_background(_finish_bus, seconds=END_SECONDS)
    except Exception as error:
        logger.warning("Not everything was published: %s", type(error).__name__)


async def _finish_bus() -> None:
    await current_bus().finish()
