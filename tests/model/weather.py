"""Two processes in one, and the channel layer between them, which may lose, double and delay."""

from typing import Any

from messaging.events import Event
from messaging.hub import Hub

FATES = ["arrives", "arrives", "lost", "twice", "late"]
TELLS_ROOMS = ("chat_message", "message_changed", "read")
TELLS = (*TELLS_ROOMS, "place", "blocks_changed")  # Presence comes when it comes.


class Weather:
    """Stands where the hub publishes. Connections of the writer's process hear at once; the
    others when, and as often as, the `fate` of the day lets them."""

    def __init__(self) -> None:
        self.fate = "arrives"
        self.here = 0  # The process that serves the pages.
        self.processes: dict[str, int] = {}
        self.late: list[tuple[Any, Event]] = []

    def publish(self, hub: Hub, events: list[Event]) -> None:
        for event in events:
            writer = self.processes.get(event["origin"], self.here)
            for connection in hub._find(event):
                self._deliver(connection, event, writer)

    def _deliver(self, connection: Any, event: Event, writer: int) -> None:
        process = self.processes.get(getattr(connection, "connection_id", ""), writer)
        if process == writer or self.fate == "arrives":
            connection.post(event)
        elif self.fate == "twice":
            connection.post(event)
            connection.post(event)
        elif self.fate == "late" and event["type"] in TELLS:
            self.late.append((connection, event))

    def hears_at_once(self, process: int, writer: int) -> bool:
        return process == writer or self.fate in ("arrives", "twice")

    def let_arrive(self, order: list[int]) -> list[tuple[Any, Event]]:
        """What was late, in whatever order: each number moves one to the end."""
        arriving, self.late = self.late, []
        for number in order:
            if arriving:
                arriving.append(arriving.pop(number % len(arriving)))
        for connection, event in arriving:
            connection.post(event)
        return arriving
