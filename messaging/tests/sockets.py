"""Sockets for tests: the real application from its outermost door, without a server."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest_asyncio
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connections
from django.test import Client

from messaging.journal import current_journal
from messaging.routing import websocket_application
from messaging.runtime import database_executor, in_database

ORIGIN = settings.MESSAGING_ALLOWED_ORIGINS[0]
SILENCE_SECONDS = 0.3


class Socket:
    """One connection and what came over it."""

    def __init__(self, path: str, cookie: str, origin: str | None = ORIGIN) -> None:
        headers = [(b"cookie", cookie.encode())] if cookie else []
        headers += [(b"origin", origin.encode())] if origin is not None else []
        self.communicator = WebsocketCommunicator(websocket_application, path, headers=headers)

    async def open(self) -> bool:
        connected, _ = await self.communicator.connect(timeout=5)
        return bool(connected)

    async def send(self, **frame: Any) -> None:
        await self.send_text(json.dumps(frame))

    async def send_text(self, text: str) -> None:
        await self.communicator.send_to(text_data=text)

    async def receive(self) -> dict[str, Any]:
        """The next frame."""
        frame: dict[str, Any] = json.loads(await self.communicator.receive_from(timeout=5))
        return frame

    async def expect(self, type: str) -> dict[str, Any]:
        """The next frame of a type; presence and heartbeats on the way are passed over."""
        while True:
            frame = await self.receive()
            if frame["type"] == type:
                return frame
            assert frame["type"] in ("presence", "heartbeat"), frame

    async def is_silent(self) -> bool:
        """Nothing comes but presence and heartbeats."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                while (frame := await self.receive())["type"] in ("presence", "heartbeat"):
                    pass
        except TimeoutError:
            return True
        raise AssertionError(frame)

    async def close_code(self) -> int:
        """Waits until the server ends it."""
        while True:
            output = await self.communicator.receive_output(timeout=5)
            if output["type"] == "websocket.close":
                return int(output.get("code", 1000))

    async def close(self) -> None:
        await self.communicator.disconnect()


class Sockets:
    """Opens sockets for people and closes them after the test."""

    def __init__(self) -> None:
        self._opened: list[Socket] = []
        self._clients: dict[Any, Client] = {}

    def client(self, user: Any) -> Client:
        if user.pk not in self._clients:
            self._clients[user.pk] = Client()
            self._clients[user.pk].force_login(user)
        return self._clients[user.pk]

    async def make(self, user: Any | None, path: str, origin: str | None = ORIGIN) -> Socket:
        cookie = ""
        if user is not None:
            client = await in_database(self.client, user)
            cookie = f"sessionid={client.cookies['sessionid'].value}"
        socket = Socket(path, cookie, origin)
        self._opened.append(socket)
        return socket

    async def open(self, user: Any, path: str) -> Socket:
        socket = await self.make(user, path)
        assert await socket.open()
        return socket

    async def room(
        self, user: Any, conversation_id: UUID | str, after: int | None = None
    ) -> Socket:
        """Open, and past its replay-free `ready`; with `after` nothing is read yet."""
        query = "" if after is None else f"?after={after}"
        socket = await self.open(user, f"/ws/room/{conversation_id}/{query}")
        if after is None:
            await socket.expect("ready")
        return socket

    async def inbox(self, user: Any) -> Socket:
        socket = await self.open(user, "/ws/inbox/")
        await socket.expect("ready")
        return socket

    async def refuses(self, user: Any | None, path: str, origin: str | None = ORIGIN) -> bool:
        socket = await self.make(user, path, origin)
        self._opened.remove(socket)
        return not await socket.open()

    async def close_all(self) -> None:
        for socket in self._opened:
            with contextlib.suppress(asyncio.CancelledError):  # It had ended already.
                await socket.close()


@pytest_asyncio.fixture
async def sockets(transactional_db: None) -> AsyncIterator[Sockets]:
    opened = Sockets()
    yield opened
    await opened.close_all()
    await current_journal().close()
    await asyncio.to_thread(close_database_threads)


def close_database_threads() -> None:
    """Channels' communicator switches off the closing of connections after each call."""
    executor = database_executor()
    barrier = threading.Barrier(max(1, len(executor._threads)))

    def close() -> None:
        connections.close_all()
        barrier.wait(5)

    for future in [executor.submit(close) for _ in range(barrier.parties)]:
        future.result()
