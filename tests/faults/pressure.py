"""`bin/faults pressure`: what hostile clients cost one web process, and what patient ones get.

The tests of processes try the same with smaller numbers, and fail where this prints. Each row is of
a process of its own, but for the clients that never read: those are counted in one process.
"""

import argparse
import asyncio
import os
import socket as sockets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.faults.idle import prepare_django
from tests.services import services

if TYPE_CHECKING:
    from tests.live import Live

FRAMES = 10_000
BLOCKED_SECONDS = 2.0
CLIENTS = (20, 60)
CHANGES = 10_000
TEXT = "Is it still there? " * 20
SLOW_BYTES_PER_SECOND = 200_000
VISITS = 5_000
BODY_BYTES = 200_000_000
PIECE = b"x" * 65_536

Row = tuple[str, str]
# Of the process on this port.
Measure = Callable[["Live", int], Coroutine[Any, Any, list[Row]]]


async def flood(live: "Live", port: int) -> list[Row]:
    from tests.processes import crowds, pressing

    assert services.postgres is not None
    [talk] = await asyncio.to_thread(crowds.make_talks, live, port, 1)
    narrow = pressing.narrow_socket(port, sockets.SO_SNDBUF)
    async with (
        talk.enter(talk.buyer, sock=narrow) as socket,
        talk.enter(talk.seller) as other,
        pressing.Memory(live.processes["another web"].pid).watched() as memory,
    ):
        await pressing.expect(socket, "ready")
        await pressing.expect(other, "ready")
        thrown = pressing.Flood(socket)
        async with asyncio.TaskGroup() as tasks:
            frames = ({"message": "Again"} for _ in range(FRAMES))
            throwing = tasks.create_task(thrown.throw(frames))
            with pressing.stopped(services.postgres):
                await thrown.until_blocked(seconds=BLOCKED_SECONDS)
                assert await pressing.answers(other)
                assert not throwing.done()
                blocked = thrown.taken
    thrown.assert_each_is_answered_once()
    what = f"{memory.growth:.1f} MiB; blocked after {blocked:,}, each answered once"
    return [(f"{FRAMES:,} frames thrown at one socket while PostgreSQL is stopped", what)]


async def stall(live: "Live", port: int) -> list[Row]:
    from tests.processes import crowds

    growths = await crowds.measure_stalled(live, port, CLIENTS)
    rows = [
        (f"{clients} clients that never read, while others write", f"{growth:.1f} MiB at the peak")
        for clients, growth in zip(CLIENTS, growths, strict=True)
    ]
    slope = (growths[-1] - growths[0]) / (CLIENTS[-1] - CLIENTS[0])
    return [*rows, ("that is, for each one more", f"{slope:.2f} MiB; closed with 4408")]


async def replay(live: "Live", port: int) -> list[Row]:
    from tests.processes import crowds

    [talk] = await asyncio.to_thread(crowds.make_talks, live, port, 1)
    await asyncio.to_thread(talk.add, CHANGES - 1, TEXT)
    rows = []
    for speed, how in ((0, "at once"), (SLOW_BYTES_PER_SECOND, "at 200 KB/s")):
        found = await crowds.replay(talk, bytes_per_second=speed)
        assert found.sequences == list(range(1, CHANGES + 1)), "not everything, once, in order"
        what = f"once, in order, not closed: {found.received / 1e6:.1f} MB in {found.seconds:.0f} s"
        rows.append((f"a replay of {CHANGES:,} changes, {how}", what))
    return rows


async def come_and_go(live: "Live", port: int) -> list[Row]:
    from tests.processes import crowds, pressing

    talks = await asyncio.to_thread(crowds.make_talks, live, port, 2)
    await crowds.come_and_go(talks, VISITS // 10)
    memory = pressing.Memory(live.processes["another web"].pid)
    before = await crowds.until_quiet(memory)
    await crowds.come_and_go(talks, VISITS)
    after = await crowds.until_quiet(memory)
    sizes = [size / pressing.MEBIBYTE for size in (memory.before, memory.read())]
    what = f"{sizes[0]:.1f} → {sizes[1]:.1f} MiB, {before} → {after} descriptors"
    return [(f"{VISITS:,} connections that come and go", what)]


async def throw_bodies(live: "Live", port: int) -> list[Row]:
    """With its length said, and without."""
    from tests.processes import pressing

    rows = []
    for how, line in (
        ("of a length that is told", f"Content-Length: {BODY_BYTES}"),
        ("in chunks", "Transfer-Encoding: chunked"),
    ):
        async with pressing.Memory(live.processes["another web"].pid).watched() as memory:
            sent, answer = await asyncio.to_thread(throw_body, live, port, line)
        what = f"{answer} after {sent / 1e6:.1f} MB; {memory.growth:.1f} MiB"
        rows.append((f"a body of 200 MB, {how}", what))
    return rows


def throw_body(live: "Live", port: int, line: str) -> tuple[int, str]:
    """Bytes that were taken of it, and the status of the answer."""
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: localhost:{live.port}\r\n{line}\r\n\r\n"
    is_chunked = "chunked" in line
    piece = b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if is_chunked else PIECE
    sent, answer = 0, b""
    with sockets.create_connection(("127.0.0.1", port), timeout=30) as socket:
        with suppress(OSError):  # It hangs up in the middle.
            socket.sendall(head.encode())
            while sent < BODY_BYTES:
                socket.sendall(piece)
                sent += len(PIECE)
        with suppress(OSError):  # What it said may have gone with the connection.
            answer = socket.recv(100)
    return sent, answer.decode("latin-1").partition("\r\n")[0] or "cut off"


MEASURES: dict[str, Measure] = {
    "flood": flood,
    "stall": stall,
    "replay": replay,
    "visits": come_and_go,
    "body": throw_bodies,
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/faults pressure", description=__doc__)
    parser.add_argument("--only", choices=MEASURES, help="one of them")
    only = parser.parse_args(arguments).only
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    try:
        services.start(sqlite=False)
        prepare_django()
        from tests.live import run_live

        with run_live() as live:
            print(f"{', '.join(services.lines)}\n", flush=True)
            for name, measure in MEASURES.items():
                if only in (None, name):
                    print_rows(live, measure)
    finally:
        services.stop()
    return 0


def print_rows(live: "Live", measure: Measure) -> None:
    with live.another_web() as port:
        for what, result in asyncio.run(measure(live, port)):
            print(f"| {what} | {result} |", flush=True)
