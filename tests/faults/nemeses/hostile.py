"""Clients that mean harm, beside the people: one that never reads, one that never stops."""

import asyncio
import contextlib
import json
import random
import socket
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import websockets

from tests.faults.nemeses.field import Field

FRAMES = 10_000
RECEIVE_BUFFER = 4096
# Nothing of it is stored: what people say stays what the history knows of.
NOISE = (
    json.dumps({"type": "typing"}),
    json.dumps({"type": "read", "sequence": 0}),
    json.dumps({"type": "nothing that exists"}),
    "not even JSON",
    "[" * 200,
)
BUSIEST = """
    SELECT p.conversation_id, p.user_id FROM messaging_participant p
    JOIN messaging_conversation c ON c.id = p.conversation_id
    WHERE p.left_at IS NULL AND p.user_id IS NOT NULL
    ORDER BY c.last_sequence DESC, p.id LIMIT 10
"""


async def stop_reading(field: Field) -> None:
    """Asks for everything that was ever said, and takes 4 KB of it."""
    if name := field.choose(["client→web1", "client→web2"]):
        async with field.fault("flood", name, how="never reads"):
            path, cookie = await choose_place(field)
            url = urlsplit(field.stack.edges[name].listen_url)
            with dial(url.hostname or "", url.port or 0) as connection:
                await ask_for_socket(connection, url.netloc, f"{path}?after=0", cookie)
                await field.sleep(5, 20)


async def flood(field: Field) -> None:
    if name := field.choose(["client→web1", "client→web2"]):
        async with field.fault("flood", name, how="never stops") as told:
            path, cookie = await choose_place(field)
            url = field.stack.edges[name].listen_url
            told.update(await throw(field, url, path, cookie))
            told["effect"] = told["frames"]


async def choose_place(field: Field) -> tuple[str, str]:
    """The path of a busy conversation, and the cookie of somebody in it."""
    rows = await field.stack.database.rows(BUSIEST)
    if not rows:
        raise RuntimeError("Nobody talks yet.")
    conversation, person = field.random.choice(rows)
    key = await field.stack.sessions.open(person)
    return f"/ws/room/{conversation}/", f"sessionid={key}"


def dial(host: str, port: int) -> socket.socket:
    """The kernel takes twice the buffer that it is told."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    connection.settimeout(3)
    connection.connect((host, port))
    connection.setblocking(False)
    return connection


async def ask_for_socket(connection: socket.socket, host: str, path: str, cookie: str) -> None:
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        f"Cookie: {cookie}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: c3RvcHMgcmVhZGluZyBub3c=",
    )
    request = "\r\n".join([*lines, "", ""]).encode()
    await asyncio.get_running_loop().sock_sendall(connection, request)


async def throw(field: Field, url: str, path: str, cookie: str) -> dict[str, Any]:
    """As many frames as it is let, coming back a few times; how often, and with which codes it was
    shown out."""
    codes: Counter[str] = Counter()
    thrown = 0
    while thrown < FRAMES and field.left and sum(codes.values()) < 10:
        try:
            connecting = websockets.connect(
                url.replace("http", "ws", 1) + path,
                origin=websockets.Origin(url),
                additional_headers={"Cookie": cookie},
                ping_interval=None,
                close_timeout=1,
                proxy=None,
            )
            async with asyncio.timeout(10), connecting as connection:
                thrown += await throw_at(connection, field.random, FRAMES - thrown)
                codes["let be"] += 1
        except websockets.ConnectionClosed as error:
            codes[str(error.rcvd.code if error.rcvd else 1006)] += 1
        except (OSError, TimeoutError, EOFError, websockets.WebSocketException) as error:
            codes[type(error).__name__] += 1
    return {"frames": thrown, "codes": dict(codes)}


async def throw_at(
    connection: websockets.ClientConnection, chance: random.Random, count: int
) -> int:
    hearing = asyncio.ensure_future(hear(connection))
    try:
        for number in range(count):
            await connection.send(chance.choice(NOISE))
            if number % 100 == 99:
                await asyncio.sleep(0.01)
    finally:
        hearing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hearing
    return count


async def hear(connection: websockets.ClientConnection) -> None:
    """Whatever is answered is thrown away."""
    with contextlib.suppress(websockets.ConnectionClosed):
        async for _ in connection:
            pass
