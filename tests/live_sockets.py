"""What is heard on a socket of the running marketplace."""

import asyncio
import json
from typing import Any

import websockets


async def expect(socket: websockets.ClientConnection, type: str, **fields: Any) -> dict[str, Any]:
    """The next frame of a type with these fields; others before it are passed over."""
    async with asyncio.timeout(10):
        while True:
            frame: dict[str, Any] = json.loads(await socket.recv())
            if frame["type"] == type and fields.items() <= frame.items():
                return frame
