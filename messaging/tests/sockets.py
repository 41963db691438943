"""Sockets for tests: the real application from its outermost door, without a server."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest_asyncio
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connections
from django.test import Client

import messaging
from messaging.attendance import current_attendance
from messaging.heartbeat import current_heartbeat
from messaging.hub import current_hub
from messaging.journals import current_journals
from messaging.routing import websocket_application
from messaging.runtime import database_executor, in_database
from messaging.session_watch import current_session_watch

ORIGIN = settings.MESSAGING_ALLOWED_ORIGINS[0]
SILENCE_SECONDS = 0.3
REFUSED = {"type": "websocket.close"}
PASSED_OVER = ("presence", "heartbeat")

Headers = list[tuple[bytes, bytes]]


class Socket:
    """One connection and what came over it."""

    def __init__(self, path: str, headers: Headers) -> None:
        self.communicator = WebsocketCommunicator(websocket_application, path, headers=headers)

    async def open(self) -> bool:
        connected, _ = await self.communicator.connect(timeout=5)
        return bool(connected)

    async def send(self, **frame: Any) -> None:
        await self.send_text(json.dumps(frame))

    async def send_text(self, text: str) -> None:
        await self.communicator.send_to(text_data=text)

    async def send_bytes(self, data: bytes) -> None:
        await self.communicator.send_to(bytes_data=data)

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
            assert frame["type"] in PASSED_OVER, frame

    async def until(self, type: str) -> list[dict[str, Any]]:
        """All frames up to the next one of a type, which is the last of them."""
        frames = [await self.receive()]
        while frames[-1]["type"] != type:
            frames.append(await self.receive())
        return frames

    async def has_heard_all(self) -> bool:
        """Nothing is on its way to a socket that works: the next frame is the answer to a ping."""
        await self.send(type="ping")
        await self.expect("pong")
        return True

    async def is_silent(self) -> bool:
        """Nothing comes for a while but presence and heartbeats."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                while (frame := await self.receive())["type"] in PASSED_OVER:
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
        with contextlib.suppress(asyncio.CancelledError):  # It had ended already.
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

    async def session_key(self, user: Any) -> str:
        client = await in_database(self.client, user)
        return str(client.cookies["sessionid"].value)

    async def make(
        self, user: Any | None, path: str, origin: str | None = ORIGIN, more: Headers | None = None
    ) -> Socket:
        headers = [(b"origin", origin.encode())] if origin is not None else []
        if user is not None:
            headers.append((b"cookie", f"sessionid={await self.session_key(user)}".encode()))
        socket = Socket(path, headers + (more or []))
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

    async def knock(
        self, user: Any | None, path: str, origin: str | None = ORIGIN, more: Headers | None = None
    ) -> dict[str, Any]:
        """What the handshake is answered with."""
        socket = await self.make(user, path, origin, more)
        await socket.communicator.send_input({"type": "websocket.connect"})
        output: dict[str, Any] = await socket.communicator.receive_output(timeout=5)
        return output

    async def refuses(
        self, user: Any | None, path: str, origin: str | None = ORIGIN, more: Headers | None = None
    ) -> bool:
        """Without a word about why."""
        return await self.knock(user, path, origin, more) == REFUSED

    def forget_closed(self) -> None:
        """Keep no more of them than are still open."""
        self._opened = [one for one in self._opened if not one.communicator.future.done()]

    async def close_all(self) -> None:
        for socket in self._opened:
            await socket.close()


@pytest_asyncio.fixture
async def sockets(transactional_db: None) -> AsyncIterator[Sockets]:
    opened = Sockets()
    yield opened
    await opened.close_all()
    await end_what_was_started()
    await asyncio.to_thread(close_database_threads)


async def end_what_was_started() -> None:
    """Whatever would go on by itself ends before the loop and the tables do."""
    await current_journals().close()
    endless = [current_heartbeat()._task, current_hub()._receiving]
    endless.append(current_session_watch()._checking)
    for task in [*endless, *current_attendance()._leaving.values()]:
        if task is not None:
            task.cancel()
    async with asyncio.timeout(10):
        while tasks := [task for task in asyncio.all_tasks() if is_started_by_us(task)]:
            await asyncio.wait(tasks)


def is_started_by_us(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and Path(code.co_filename).parent == Path(messaging.__file__).parent


def close_database_threads() -> None:
    """Channels' communicator switches off the closing of connections after each call."""
    executor = database_executor()
    barrier = threading.Barrier(max(1, len(executor._threads)))

    def close() -> None:
        connections.close_all()
        barrier.wait(5)

    for future in [executor.submit(close) for _ in range(barrier.parties)]:
        future.result()
