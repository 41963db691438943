"""The way from this process to all the others: one group on the layer Channels is configured with.

A hint: whoever misses it reads the database. Events leave in pieces, each with a deadline; what
cannot be published is dropped and counted.
"""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

from channels.layers import get_channel_layer

from messaging import metrics, runtime
from messaging.events import Event
from notifications import failpoints

logger = logging.getLogger(__name__)

BUS_GROUP = "messaging.bus"
DEADLINE_SECONDS = 1.0
PIECE_BYTES = 256 * 1024
MAXIMUM_WAITING = 20_000
MAXIMUM_WAITING_BYTES = 8 * 1024 * 1024

# Tells this process's own pieces from the others' when they come back over the bus.
PROCESS_ID = uuid.uuid4().hex


class Bus:
    """The queue towards the channel layer, of one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._waiting_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self.failures = 0
        self.dropped = 0

    def put(self, events: Sequence[Event]) -> None:
        self._waiting.extend(events)
        self._waiting_bytes += sum(map(_size, events))
        while len(self._waiting) > MAXIMUM_WAITING or self._waiting_bytes > MAXIMUM_WAITING_BYTES:
            self._waiting_bytes -= _size(self._waiting.popleft())
            self.dropped += 1
            metrics.EVENTS_DROPPED.add()
        if self._task is None or self._task.done():
            self._task = runtime.spawn(self._send_all())

    async def finish(self) -> None:
        """Wait until everything is sent or given up."""
        while self._task is not None and not self._task.done():
            await asyncio.shield(self._task)

    async def _send_all(self) -> None:
        while self._waiting:
            await self._send(self._take_piece())

    def _take_piece(self) -> list[Event]:
        piece = [self._waiting.popleft()]
        size = _size(piece[0])
        while self._waiting:
            size += _size(self._waiting[0])
            if size > PIECE_BYTES:
                break
            piece.append(self._waiting.popleft())
        self._waiting_bytes -= sum(map(_size, piece))
        return piece

    async def _send(self, piece: list[Event]) -> None:
        layer: Any = get_channel_layer()
        message = {"type": "messaging.batch", "process": PROCESS_ID, "events": piece}
        failpoints.reach("bus.sending")
        try:
            await asyncio.wait_for(layer.group_send(BUS_GROUP, message), DEADLINE_SECONDS)
            failpoints.reach("bus.sent")
        except Exception as error:
            self.failures += 1
            self.dropped += len(piece)
            metrics.PUBLISH_FAILURES.add()
            metrics.EVENTS_DROPPED.add(len(piece))
            logger.warning("%d events not published: %s", len(piece), type(error).__name__)


def _size(event: Event) -> int:
    return len(event["text"].encode())


_buses: runtime.LoopLocal[Bus] = runtime.LoopLocal(Bus)


def current_bus() -> Bus:
    """Inside a running loop."""
    return _buses.get()
