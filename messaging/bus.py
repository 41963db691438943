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

import msgspec
from channels.layers import get_channel_layer

from messaging import metrics, runtime
from messaging.events import Event
from messaging.shards import split
from messaging.text import most_bytes
from notifications import failpoints

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 1.0
PIECE_BYTES = 256 * 1024
MAXIMUM_WAITING = 20_000
MAXIMUM_WAITING_BYTES = 8 * 1024 * 1024

_encoder = msgspec.json.Encoder()
# Tells this process's own pieces from the others' when they come back over the bus.
PROCESS_ID = uuid.uuid4().hex


class Bus:
    """The queues towards the channel layer, one for each of its channels, of one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Event]] = {}
        self._count = self._bytes = 0
        self._task: asyncio.Task[None] | None = None
        self.failures = 0
        self.dropped = 0

    def put(self, events: Sequence[Event]) -> None:
        for channel, parts in split(events).items() if events else ():
            self._waiting.setdefault(channel, deque()).extend(parts)
            self._count += len(parts)
            self._bytes += sum(map(_size, parts))
        while self._count > MAXIMUM_WAITING or self._bytes > MAXIMUM_WAITING_BYTES:
            self._take(next(iter(self._waiting)))
            self.dropped += 1
            metrics.EVENTS_DROPPED.add()
        if self._task is None or self._task.done():
            self._task = runtime.spawn(self._send_all())

    def _take(self, channel: str) -> Event:
        """The oldest of a channel."""
        queue = self._waiting[channel]
        event = queue.popleft()
        self._count -= 1
        self._bytes -= _size(event)
        if not queue:
            del self._waiting[channel]
        return event

    async def finish(self) -> None:
        """Wait until everything is sent or given up."""
        while self._task is not None and not self._task.done():
            await asyncio.shield(self._task)

    async def _send_all(self) -> None:
        while self._waiting:
            # One after the other, as the layer would send them anyway: side by side all their
            # deadlines would run while the first is sent.
            channel = next(iter(self._waiting))
            await self._send(channel, self._take_piece(channel))

    def _take_piece(self, channel: str) -> list[Event]:
        piece = [self._take(channel)]
        size = _size(piece[0])
        while channel in self._waiting:
            size += _size(self._waiting[channel][0])
            if size > PIECE_BYTES:
                break
            piece.append(self._take(channel))
        return piece

    async def _send(self, channel: str, piece: list[Event]) -> None:
        layer: Any = get_channel_layer()
        message = make_piece(piece)
        failpoints.reach("bus.sending")
        try:
            await asyncio.wait_for(layer.group_send(channel, message), DEADLINE_SECONDS)
            failpoints.reach("bus.sent")
        except Exception as error:
            self.failures += 1
            self.dropped += len(piece)
            metrics.PUBLISH_FAILURES.add()
            metrics.EVENTS_DROPPED.add(len(piece))
            logger.warning("%d events not published: %s", len(piece), type(error).__name__)


def _size(event: Event) -> int:
    return most_bytes(event["text"])


def make_piece(events: Sequence[Event], process: str = PROCESS_ID) -> dict[str, str]:
    """The events as one text: the layer's own way takes longer, and so does reading back what is
    this process's own."""
    text = _encoder.encode(events).decode()
    return {"type": "messaging.batch", "process": process, "events": text}


def decode_events(text: str) -> list[Event]:
    """What came from another process."""
    events: list[Event] = msgspec.json.decode(text)
    return events


_buses: runtime.LoopLocal[Bus] = runtime.LoopLocal(Bus)


def current_bus() -> Bus:
    """Inside a running loop."""
    return _buses.get()
