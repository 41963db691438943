"""What a connection may ask of the server under it, beyond ASGI. Servers that offer nothing work
too, without back-pressure."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

from messaging.text import most_bytes

EXTENSION = "messaging.transport"
# Together with a page of a replay these stay below the 1 MiB that a client may cost: what the
# server has not sent yet, and what waits in the connection's mailbox behind it.
UNSENT_BYTES = 256 * 1024
WAITING_BYTES = 512 * 1024
OWN_EVENT_BYTES = 512  # Of one that has no text to measure: an answer, say.
STALLED_SECONDS = 10.0
POLL_SECONDS = 0.02


class TooSlow(Exception):
    """The client takes nothing of what it is sent."""


class Transport(Protocol):
    def unsent_bytes(self) -> int:
        """What was sent and the client has not taken yet."""
        ...

    def is_lost(self) -> bool:
        """Whether the client is known to be gone."""
        ...

    def send_text(self, text: str) -> bool:
        """A message, without a turn of the loop; nothing when the client is gone. False where there
        is no such way: it goes through `send`."""
        ...

    def offer_texts(self, take: Callable[[str], bool]) -> None:
        """From now on give each message that comes to `take`, while the application waits for one;
        what it does not take comes through `receive`."""
        ...


class Pace:
    """How fast a connection may be written to."""

    def __init__(self, transport: Transport | None) -> None:
        self._transport = transport

    def is_lost(self) -> bool:
        return self._transport is not None and self._transport.is_lost()

    def offer_texts(self, take: Callable[[str], bool]) -> None:
        if self._transport is not None:
            self._transport.offer_texts(take)

    def send_text(self, text: str) -> bool:
        """Whether it went out: there may be no short way, or no room."""
        if self._transport is None or self._transport.unsent_bytes() >= UNSENT_BYTES:
            return False
        return self._transport.send_text(text)

    async def room_for_more(self) -> None:
        """Wait while much is unsent, so that what is written costs no memory.

        Raises TooSlow when nothing was taken for 10 s.
        """
        if self._transport is None:
            return
        least, since = self._transport.unsent_bytes(), time.monotonic()
        while (unsent := self._transport.unsent_bytes()) >= UNSENT_BYTES:
            if self.is_lost():  # Nobody takes it any more, and nothing of it need be kept.
                return
            if unsent < least:
                least, since = unsent, time.monotonic()
            elif time.monotonic() - since >= STALLED_SECONDS:
                raise TooSlow
            await asyncio.sleep(POLL_SECONDS)


def size_of(event: Any) -> int:
    """What an event costs while it waits. Those with a text are shared with other connections."""
    return most_bytes(event["text"]) if "text" in event else OWN_EVENT_BYTES


def pace_of(scope: dict[str, Any]) -> Pace:
    return Pace(scope.get("extensions", {}).get(EXTENSION))
