"""Channel layers that count, fail and hang, and connections that only listen."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from messaging import bus
from messaging.bus import decode_events
from messaging.events import Event, typing_event
from messaging.shards import BUS_GROUP

HERE = uuid4()


class Listener:
    """A connection that keeps what it is given."""

    def __init__(self, conversation_id: Any = None) -> None:
        self.conversation_id = conversation_id
        self.heard: list[str] = []
        self.something = asyncio.Event()

    def post(self, event: Event) -> None:
        self.heard.append(json.loads(event["text"])["user"])
        self.something.set()


def event(name: str, *groups: str, conversation: Any = HERE, padding: int = 0) -> Event:
    made = typing_event(
        conversation_id=conversation, user_id=name, expires_in=6, groups=groups, origin=""
    )
    return Event(**{**made, "text": made["text"] + " " * padding})


class Layer:
    """A channel layer that counts what it is given, and does with it what `act` does."""

    def __init__(self) -> None:
        self.sent: list[list[Event]] = []
        self.act: Any = None

    async def group_send(self, group: str, message: Any) -> None:
        assert group == BUS_GROUP
        if self.act:
            await self.act()
        self.sent.append(decode_events(message["events"]))

    def messages(self) -> list[list[Event]]:
        """The pieces with answers to the first message; presence comes when it comes."""
        return [piece for piece in self.sent if any(one["revision"] > 1 for one in piece)]


def put_in_place(monkeypatch: pytest.MonkeyPatch) -> Layer:
    """Of the real one, for sending only. A fixture where a module makes it one."""
    layer = Layer()
    monkeypatch.setattr(bus, "get_channel_layer", lambda: layer)
    return layer


async def fail() -> None:
    raise ConnectionError("the layer is away")


async def hang() -> None:
    await asyncio.Event().wait()
