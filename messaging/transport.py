"""What a connection may ask of the server under it, beyond ASGI. Servers that offer nothing work
too, without back-pressure."""

import asyncio
from typing import Any, Protocol

EXTENSION = "messaging.transport"
REPLAY_UNSENT_BYTES = 256 * 1024
POLL_SECONDS = 0.02


class Transport(Protocol):
    def unsent_bytes(self) -> int:
        """What was sent and the client has not taken yet."""
        ...


class Pace:
    """How fast a connection may be written to."""

    def __init__(self, transport: Transport | None) -> None:
        self._transport = transport

    async def room_for_more(self) -> None:
        """Wait while much is unsent, so that a long replay costs no memory."""
        while self._transport and self._transport.unsent_bytes() >= REPLAY_UNSENT_BYTES:
            await asyncio.sleep(POLL_SECONDS)


def transport_of(scope: dict[str, Any]) -> Pace:
    return Pace(scope.get("extensions", {}).get(EXTENSION))
