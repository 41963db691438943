"""People come in before they say anything, and only who is in hears the others."""

import asyncio
from typing import Any

import pytest
from websockets.asyncio.server import serve

from benchmarks.load.dialects import Contract, Dialect, Tutorial
from benchmarks.load.doors import JsonDoor, Place


@pytest.mark.parametrize(("dialect", "waits"), [(Contract(), True), (Tutorial(), False)])
async def test_who_is_greeted_is_in_when_the_greeting_has_come(
    dialect: Dialect, waits: bool
) -> None:
    greeting = asyncio.Event()

    async def answer(socket: Any) -> None:
        await greeting.wait()
        await socket.send('{"type": "ready"}')
        await socket.wait_closed()

    async with serve(answer, "127.0.0.1", 0) as server:
        (listening,) = server.sockets
        port = listening.getsockname()[1]
        door = JsonDoor([Place("1", ("a", "b"))], dialect, [port])
        entering = asyncio.create_task(door.enter(0, 0, lambda arrival: None))
        done, _ = await asyncio.wait([entering], timeout=0.3)
        assert bool(done) is not waits
        greeting.set()
        (await entering).abort()
