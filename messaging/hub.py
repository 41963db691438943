"""The connections of this process by group, and one channel on Channels' layer for all of them.

It offers Channels' own verbs, with connections where Channels has channel names. Memberships are
local because a receive task and a queue for each connection on the layer cost more than everything
else about it (docs/adr/0003-hub.md). This is the only place that knows about groups.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from channels.layers import get_channel_layer

from messaging import roll_call, runtime
from messaging.bus import PROCESS_ID, current_bus, decode_events
from messaging.events import ROLE_GROUPS, Event
from messaging.identifiers import text_of
from messaging.shards import channel_of
from messaging.subscriptions import Subscriptions
from notifications import failpoints

logger = logging.getLogger(__name__)

SUBSCRIBE_SECONDS = 2.0
RETRY_SECONDS = 1.0
SLOW_SECONDS = 5.0  # In which nobody waits for a layer that has let somebody wait in vain.


class Connection(Protocol):
    """What the hub delivers to. `post` never waits."""

    conversation_id: Any

    def post(self, event: Event) -> None: ...


class Hub:
    """Of one event loop."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[Connection, None]] = {}
        self._subscriptions = Subscriptions()
        self._slow_until = 0.0
        self._receiving: asyncio.Task[None] | None = None
        self._answering: asyncio.Task[None] | None = None
        self.on_subscribed: list[Callable[[], None]] = []

    def listen(self) -> None:
        """Be heard of on the bus from now on, with or without connections."""
        if self._receiving is None:
            self._receiving = runtime.spawn(self._receive())

    async def group_add(self, group: str, connection: Connection) -> None:
        """Returns once the layer is subscribed to, or is known to be slow: a connection is
        accepted without it too, and its heartbeat brings what it missed."""
        heard = self._enter(group, connection)
        self.listen()
        if heard.is_set() or time.monotonic() < self._slow_until:
            return
        if not await runtime.wait_for(heard, SUBSCRIBE_SECONDS):
            self._slow_until = time.monotonic() + SLOW_SECONDS
            logger.warning("Connections are accepted while the channel layer is away.")

    def _enter(self, group: str, connection: Connection) -> asyncio.Event:
        """Gives what is set once the group is heard here."""
        channel = channel_of(group)
        if group in self._groups:
            heard = self._subscriptions.event_of(channel)
        else:
            self._groups[group] = {}
            heard = self._subscriptions.need(channel)
        self._groups[group][connection] = None
        return heard

    async def group_discard(self, group: str, connection: Connection) -> None:
        members = self._groups.get(group)
        if members is not None:
            members.pop(connection, None)
            if not members:
                del self._groups[group]
                self._subscriptions.release(channel_of(group))

    async def group_send(self, group: str, event: Event) -> None:
        """To the connections of one group, in this process and in all the others."""
        self.publish([Event(**{**event, "groups": [group]})])

    def publish(self, events: Sequence[Event]) -> None:
        """To the groups that the events name: here at once, elsewhere over the layer."""
        failpoints.reach("hub.publishing")
        self.deliver(events)
        failpoints.reach("hub.delivered")
        current_bus().put(events)

    def deliver(self, events: Iterable[Event]) -> None:
        """Hand events to the local connections of their groups. Each gets an event once."""
        for event in events:
            for connection in self._find(event):
                try:
                    connection.post(event)
                except Exception:  # Of one connection costs the others nothing.
                    logger.exception("An event could not be handed to a connection")

    def _find(self, event: Event) -> Sequence[Connection]:
        conversation = event["conversation"]
        found: dict[Connection, None] = {}
        for group in event["groups"]:
            for connection in self._groups.get(group, ()):
                scope = connection.conversation_id
                if not conversation or scope is None or text_of(scope) == conversation:
                    found[connection] = None
        return list(found)

    def members(self, group: str) -> list[Connection]:
        return list(self._groups.get(group, ()))

    def _list_connections(self) -> set[Connection]:
        """Each of them is in the group of a role, an inbox in two."""
        roles = [group for group in self._groups if group.startswith(ROLE_GROUPS)]
        return {connection for group in roles for connection in self._groups[group]}

    async def _receive(self) -> None:
        while True:
            try:
                await self._subscribe_and_receive()
            except Exception as error:
                self._slow_until = math.inf
                self._subscriptions.close()
                logger.warning("The channel layer is away: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _subscribe_and_receive(self) -> None:
        layer: Any = get_channel_layer()
        channel = await layer.new_channel()
        try:
            await self._subscriptions.open(layer, channel)
            self._slow_until = 0.0
            for callback in self.on_subscribed:
                callback()
            while True:
                self._take(layer, await layer.receive(channel))
        except Exception:
            # Else the layer would keep for it whatever comes from now on.
            for group in self._subscriptions.list_groups():
                with suppress(Exception):
                    await layer.group_discard(group, channel)
            raise

    def _take(self, layer: Any, message: Any) -> None:
        try:
            if message["process"] != PROCESS_ID:
                self.deliver(decode_events(message["events"]))
            if "answer_to" in message:
                self._answering = runtime.spawn(self._answer(layer, message["answer_to"]))
        except Exception:  # Of another version, say. The heartbeat brings what was in it.
            logger.exception("What came over the channel layer could not be handed on")

    async def _answer(self, layer: Any, channel: str) -> None:
        count = len(self._list_connections())
        await roll_call.answer(layer, channel, process=PROCESS_ID, connections=count)


_hubs: runtime.LoopLocal[Hub] = runtime.LoopLocal(Hub)


def current_hub() -> Hub:
    return _hubs.get()


def current_hub_if_made() -> Hub | None:
    return _hubs.get_if_made()
