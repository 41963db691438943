"""Publishing, for code on any thread."""

from collections.abc import Sequence

from messaging import runtime
from messaging.events import Event
from messaging.hub import current_hub
from notifications import failpoints


def publish(events: Sequence[Event]) -> None:
    """Tell everybody connected, here and elsewhere. After the commit. Never waits, never fails."""
    failpoints.reach("publisher.committed")
    if events:
        runtime.hand_over(_publish, list(events))
    failpoints.reach("publisher.handed_over")


def _publish(events: list[Event]) -> None:
    current_hub().publish(events)
