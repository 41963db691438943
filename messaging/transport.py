"""What a connection may ask of the server under it, beyond ASGI. Servers that offer nothing work
too, without back-pressure."""

import asyncio
import time
from typing import Any, Protocol

EXTENSION = "messaging.transport"
# With what waits in a mailbox (connection.py) this stays below the 1 MiB a client may cost.
UNSENT_BYTES = 256 * 1024
STALLED_SECONDS = 10.0
POLL_SECONDS = 0.02


class TooSlow(Exception):
    """The client takes nothing of what it is sent."""


class Transport(Protocol):
    def unsent_bytes(self) -> int:
        """What was sent and the client has not taken yet."""
        ...


class Pace:
    """How fast a connection may be written to."""

    def __init__(self, transport: Transport | None) -> None:
        self._transport = transport

    async def room_for_more(self) -> None:
        """Wait while much is unsent, so that what is written costs no memory.

        Raises TooSlow when nothing was taken for 10 s.
        """
        if self._transport is None:
            return
        least, since = self._transport.unsent_bytes(), time.monotonic()
        while (unsent := self._transport.unsent_bytes()) >= UNSENT_BYTES:
            if unsent < least:
                least, since = unsent, time.monotonic()
            elif time.monotonic() - since >= STALLED_SECONDS:
                raise TooSlow
            await asyncio.sleep(POLL_SECONDS)


def pace_of(scope: dict[str, Any]) -> Pace:
    return Pace(scope.get("extensions", {}).get(EXTENSION))
