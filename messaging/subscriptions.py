"""Which channels of the bus this process hears: those that its connections need, and no others."""

import asyncio
import logging
from collections import Counter
from itertools import islice
from typing import Any

from messaging import runtime
from messaging.shards import BUS_GROUP

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
AT_ONCE = 64  # Changes when there are many, as after a restart of the layer.


class Subscriptions:
    """Of one hub. `need` and `release` may be called at any time; while the layer is away nothing
    is heard, and all that is needed is subscribed to when it is back."""

    def __init__(self) -> None:
        self._needed: Counter[str] = Counter({BUS_GROUP: 1})  # It is heard for ever.
        self._heard: dict[str, asyncio.Event] = {}
        self._layer: Any = None
        self._channel = ""
        self._turn = asyncio.Lock()
        self._working: set[asyncio.Task[None]] = set()

    def need(self, group: str) -> asyncio.Event:
        """One more reason to hear a channel. Gives what is set while it is heard."""
        self._needed[group] += 1
        event = self.event_of(group)
        if not event.is_set() and self._layer is not None:
            self._start(group)
        return event

    def release(self, group: str) -> None:
        self._needed[group] -= 1
        if self._needed[group] <= 0 and self._layer is not None:
            self._start(group)

    async def open(self, layer: Any, channel: str) -> None:
        """The layer is there: hear everything that is needed."""
        self._layer, self._channel = layer, channel
        self._needed = +self._needed  # Without those that were released while it was away.
        self._heard = {
            group: event for group, event in self._heard.items() if group in self._needed
        }
        needed = iter(list(self._needed))
        async with self._turn:
            while groups := list(islice(needed, AT_ONCE)):
                added = (layer.group_add(group, channel) for group in groups)
                # All of them to their end, so that none goes on when one has failed.
                for failure in await asyncio.gather(*added, return_exceptions=True):
                    if isinstance(failure, BaseException):
                        raise failure
                for group in groups:
                    self.event_of(group).set()

    def list_groups(self) -> list[str]:
        """All that may be heard."""
        return list(self._heard.keys() | self._needed.keys())

    def close(self) -> None:
        """The layer is away."""
        self._layer = None
        for event in self._heard.values():
            event.clear()

    def event_of(self, group: str) -> asyncio.Event:
        """Set while the channel is heard."""
        return self._heard.setdefault(group, asyncio.Event())

    def _start(self, group: str) -> None:
        task = runtime.spawn(self._look_after_safely(group))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _look_after_safely(self, group: str) -> None:
        layer = self._layer
        while layer is not None and layer is self._layer:
            try:
                return await self._look_after(group)
            except Exception as error:  # Until then the heartbeat brings what is missed.
                logger.warning("A channel could not be changed: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _look_after(self, group: str) -> None:
        """As it is needed by now: one change after the other, so that the last one counts."""
        async with self._turn:
            event, layer, channel = self.event_of(group), self._layer, self._channel
            if layer is None:
                return
            if self._needed[group] > 0 and not event.is_set():
                await layer.group_add(group, channel)
                if (layer, channel) == (self._layer, self._channel):
                    event.set()
            elif self._needed[group] <= 0:
                del self._needed[group], self._heard[group]
                await layer.group_discard(group, channel)
