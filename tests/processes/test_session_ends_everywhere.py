"""A session that ends on one web process closes its sockets on another: at once over the bus, and
with Redis gone by the other's own heartbeat."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import websockets

from tests.live import Live
from tests.live_sockets import expect
from tests.processes.test_two_web_processes import second_port
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

__all__ = ["second_port"]

PROMISED_SECONDS = 5.0  # From the log-out on, which is answered in this time as well.
PATIENCE = 15.0

# As it is out there: what is closed sooner was closed by what came over the bus.
BEAT_SECONDS = 25


@asynccontextmanager
async def inbox_at(port: int, visitor: Visitor) -> AsyncIterator[websockets.ClientConnection]:
    async with websockets.connect(
        f"ws://127.0.0.1:{port}/ws/inbox/",
        origin=websockets.Origin(visitor.live.url),
        additional_headers={"Cookie": visitor.cookie_header},
    ) as socket:
        await expect(socket, "ready")
        yield socket


async def close_code(socket: websockets.ClientConnection) -> int | None:
    async with asyncio.timeout(PATIENCE):
        await socket.wait_closed()
    return socket.close_code


async def is_alive(socket: websockets.ClientConnection) -> bool:
    await socket.send(json.dumps({"type": "ping"}))
    return bool(await expect(socket, "pong"))


def sign_out(visitor: Visitor) -> None:
    status, _ = visitor.open("/accounts/logout/", f"csrfmiddlewaretoken={visitor.token}".encode())
    assert status == 200


async def test_a_log_out_here_closes_the_sockets_there(live: Live) -> None:
    teo, elsewhere, sol = await asyncio.gather(
        asyncio.to_thread(Visitor, live, "teo@example.com"),
        asyncio.to_thread(Visitor, live, "teo@example.com"),
        asyncio.to_thread(Visitor, live, "sol@example.com"),
    )
    with live.another_web(HEARTBEAT_SECONDS=str(BEAT_SECONDS)) as port:
        async with (
            inbox_at(port, teo) as there,
            inbox_at(live.port, teo) as here,
            inbox_at(port, elsewhere) as other_session,
            inbox_at(port, sol) as other_person,
        ):
            started = time.monotonic()
            await asyncio.to_thread(sign_out, teo)
            codes = await asyncio.gather(close_code(there), close_code(here))
            assert list(codes) == [4501, 4501]
            assert time.monotonic() - started < PROMISED_SECONDS
            assert await is_alive(other_session)
            assert await is_alive(other_person)


async def test_with_redis_gone_the_heartbeat_closes_them(live: Live, second_port: int) -> None:
    teo = await asyncio.to_thread(Visitor, live, "teo@example.com")
    sol = await asyncio.to_thread(Visitor, live, "sol@example.com")
    async with inbox_at(second_port, teo) as there, inbox_at(second_port, sol) as other_person:
        live.redis.kill()
        try:
            await asyncio.to_thread(sign_out, teo)
            assert await close_code(there) == 4501
            assert await is_alive(other_person)
        finally:
            live.redis.start()
