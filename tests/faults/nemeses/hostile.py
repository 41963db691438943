"""Clients that mean harm, beside the people: one that never reads, one that never stops.

They dial the web process itself, past its proxy: what a proxy and the kernel hold for it would take
all that is meant for the process.
"""

import asyncio
import contextlib
import http.client
import json
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import websockets

from tests.faults.nemeses.field import Field, needs
from tests.faults.servers.programs import METRICS_TOKEN, WEBS

# By what they are called as targets: one of each kind at a time.
UNREAD = {f"{web} (unread)": web for web in WEBS}
FLOODED = {f"{web} (flooded)": web for web in WEBS}
RECEIVE_BUFFER = SEND_BUFFER = 4096
# The server cuts who took nothing for 10 s. Not much later it would cut who answers no ping.
SECONDS_TO_BE_CUT, MOST_SECONDS = 16, 25
ASK_EVERY, ASKED_AT_ONCE = 0.1, 20
RESUME = json.dumps({"type": "resume", "after": 0})
CUT_AS_TOO_SLOW = 'messaging_sockets_closed_total{code="4408"}'
FRAMES, LINES = 10_000, 5
SECONDS_OF_A_LINE = 10
PAUSED_SECONDS = 0.5  # In which not a byte more was taken.
BINARY_FRAME = b"not even text"
# A frame that is too large or not text, nothing taken of the answers, or simply too many.
SHOWN_OUT = ("1009", "4400", "4408", "4429")
# Nothing of it is stored: what people say stays what the history knows of.
CHEAP = (
    json.dumps({"type": "typing"}),
    json.dumps({"type": "read", "sequence": 0}),
    json.dumps({"type": "nothing that exists"}),
    "not even JSON",
    "[" * 200,
)
# What costs the server much comes seldom: limits that are off here would let through few of them.
NOISE = (*CHEAP * 6, json.dumps({"type": "large", "padding": "x" * 20_000}), RESUME)
BUSIEST = """
    SELECT p.conversation_id, p.user_id FROM messaging_participant p
    JOIN messaging_conversation c ON c.id = p.conversation_id
    WHERE p.left_at IS NULL AND p.user_id IS NOT NULL
    ORDER BY c.last_sequence DESC, p.id LIMIT 10
"""


@needs(SECONDS_TO_BE_CUT)
async def stop_reading(field: Field) -> None:
    """Asks for everything that was ever said, again and again, and takes 4 KB of it. It met
    something if the server cut it for that, in the time that it was `given`."""
    if target := field.choose(list(UNREAD)):
        web = UNREAD[target]
        async with field.fault("flood", target, how="never reads") as told:
            told["effect"] = 0
            path, cookie = await choose_place(field)
            told["messages"] = await count_messages(field, path)
            before = await count_cut(field, web)
            with dial(field.stack.ports[web]) as connection:
                host = urlsplit(field.stack.edges[f"client→{web}"].listen_url).netloc
                told["status"] = await shake_hands(connection, host, path, cookie)
                if told["status"] == http.HTTPStatus.SWITCHING_PROTOCOLS:
                    told["given"] = given = round(min(MOST_SECONDS, field.left), 3)
                    told["seconds"] = await ask_until_cut(connection, given)
            if told.get("seconds") is not None:
                told["effect"] = int(await is_counted(field, web, before))


async def choose_place(field: Field) -> tuple[str, str]:
    """The path of a busy conversation, and the cookie of somebody in it."""
    rows = await field.stack.database.rows(BUSIEST)
    if not rows:
        raise RuntimeError("Nobody talks yet.")
    conversation, person = field.random.choice(rows)
    key = await field.stack.sessions.open(person)
    return f"/ws/room/{conversation}/", f"sessionid={key}"


async def count_messages(field: Field, path: str) -> int:
    """Of the room at this path: so many are asked for at a time."""
    key = path.rstrip("/").rpartition("/")[2]
    query = f"SELECT last_sequence FROM messaging_conversation WHERE id = '{key}'"
    return await field.stack.database.ask(query)


def dial(port: int) -> socket.socket:
    """The kernel takes twice the buffers that it is told."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    connection.settimeout(3)
    connection.connect(("127.0.0.1", port))
    connection.setblocking(False)
    return connection


async def shake_hands(connection: socket.socket, host: str, path: str, cookie: str) -> int:
    """The status of the answer; 0 for none."""
    lines = (
        f"GET {path}?after=0 HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        f"Cookie: {cookie}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: bmV2ZXIgcmVhZHMgdGhpcw==",
    )
    loop, request = asyncio.get_running_loop(), "\r\n".join([*lines, "", ""]).encode()
    async with asyncio.timeout(10):
        await loop.sock_sendall(connection, request)
        answer = (await loop.sock_recv(connection, RECEIVE_BUFFER)).split()
    return int(answer[1]) if len(answer) > 1 else 0


async def ask_until_cut(connection: socket.socket, most_seconds: float) -> float | None:
    """After how many seconds it was; None where it was not in time."""
    began, asked = time.monotonic(), frame_of(RESUME) * ASKED_AT_ONCE
    rest = b""  # Of what the network took a part of.
    while (took := time.monotonic() - began) < most_seconds:
        rest = rest or asked
        try:
            rest = rest[connection.send(rest) :]
        except BlockingIOError:
            pass  # The server does not listen either.
        except OSError:
            return round(took, 3)
        await asyncio.sleep(ASK_EVERY)
    return None


def frame_of(text: str) -> bytes:
    """As a client sends it, with a mask that changes nothing. Up to 125 bytes."""
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text.encode()


async def count_cut(field: Field, web: str) -> int:
    """How many sockets the process that serves now has cut because they were too slow."""
    return await asyncio.to_thread(ask_metrics, field.stack.ports[web])


def ask_metrics(port: int) -> int:
    """OSError where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics/", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        lines = connection.getresponse().read().decode().splitlines()
    except http.client.HTTPException as error:
        raise OSError("No figures.") from error
    finally:
        connection.close()
    found = (line.rpartition(" ")[2] for line in lines if line.startswith(CUT_AS_TOO_SLOW))
    return int(float(next(found, "0")))


async def is_counted(field: Field, web: str, before: int) -> bool:
    """Whether the server says so too: what ends with its process was not cut for this."""
    for _ in range(10):
        if await count_cut(field, web) > before:
            return True
        await asyncio.sleep(0.3)
    return False


# --- Who never stops ------------------------------------------------------------------------------


@dataclass
class Thrown:
    """What a flood threw, and how it was stopped: `paused`, how often nothing was taken for a
    while; `codes`, with which it was shown out, or what else ended a line."""

    frames: int = 0
    paused: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    @property
    def times_stopped(self) -> int:
        return self.paused + sum(self.codes[code] for code in SHOWN_OUT)


@needs(2)
async def flood(field: Field) -> None:
    """As many frames as it is let, coming back a few times. It met something if the server took no
    more of them for a while, or showed it out."""
    if target := field.choose(list(FLOODED)):
        async with field.fault("flood", target, how="never stops") as told:
            told["effect"] = 0
            path, cookie = await choose_place(field)
            thrown = Thrown()
            while thrown.frames < FRAMES and field.left and thrown.codes.total() < LINES:
                await throw_over_a_line(field, FLOODED[target], path, cookie, thrown)
            told.update(frames=thrown.frames, paused=thrown.paused, codes=dict(thrown.codes))
            told["effect"] = thrown.times_stopped


async def throw_over_a_line(field: Field, web: str, path: str, cookie: str, thrown: Thrown) -> None:
    url, seconds = field.stack.edges[f"client→{web}"].listen_url, min(SECONDS_OF_A_LINE, field.left)
    try:
        connecting = websockets.connect(
            url.replace("http", "ws", 1) + path,
            origin=websockets.Origin(url),
            additional_headers={"Cookie": cookie},
            sock=dial(field.stack.ports[web]),
            compression=None,
            ping_interval=None,
            close_timeout=1,
            max_size=None,
            proxy=None,
        )
        async with asyncio.timeout(seconds + 1), connecting as connection:
            await throw_at(connection, field, thrown)
    except TimeoutError:
        thrown.codes["let be"] += 1
    except (OSError, EOFError, websockets.WebSocketException) as error:
        thrown.codes[type(error).__name__] += 1


async def throw_at(connection: websockets.ClientConnection, field: Field, thrown: Thrown) -> None:
    """Whatever is answered is thrown away, up to the end."""
    throwing = asyncio.ensure_future(throw(connection, field, thrown))
    try:
        thrown.codes[await hear(connection)] += 1
    finally:
        connection.transport.abort()  # Whoever means harm says no goodbye.
        throwing.cancel()
        with contextlib.suppress(asyncio.CancelledError, websockets.ConnectionClosed):
            await throwing


async def throw(connection: websockets.ClientConnection, field: Field, thrown: Thrown) -> None:
    """A share of the frames, and then one for which the server closes."""
    for _ in range(FRAMES // LINES):
        began = time.monotonic()
        try:
            await connection.send(field.random.choice(NOISE))
        finally:
            thrown.paused += time.monotonic() - began >= PAUSED_SECONDS
        thrown.frames += 1
    await connection.send(BINARY_FRAME)


async def hear(connection: websockets.ClientConnection) -> str:
    """Until the end; the code of it."""
    try:
        while True:
            await connection.recv()
    except websockets.ConnectionClosed as error:
        return str(error.rcvd.code if error.rcvd else 1006)
