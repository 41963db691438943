"""The limit: an ASGI application that relays texts to everybody on the same path, and no more."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]

rooms: defaultdict[str, list[Send]] = defaultdict(list)


async def application(scope: dict[str, Any], receive: Any, send: Send) -> None:
    if scope["type"] != "websocket":
        return
    room = rooms[scope["path"]]
    while True:
        event = await receive()
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
            room.append(send)
        elif event["type"] == "websocket.receive":
            for other in room:
                await other({"type": "websocket.send", "text": event["text"]})
        else:
            room.remove(send)
            return
