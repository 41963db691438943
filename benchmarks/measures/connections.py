"""Connections: how many are accepted a second, and what each costs while nothing happens."""

import asyncio
import time
from collections.abc import Sequence

from benchmarks.load.doors import Place, headers_for
from benchmarks.load.websocket import Client, Refused, connect
from benchmarks.machine import memory_bytes
from benchmarks.serving import Serving
from benchmarks.taking import Bar, Figure, Measure, Sizes, Taken

AT_ONCE = 50
# Until what was needed for opening has been given back.
SETTLE_SECONDS = 3.0
KIBIBYTE = 1024


def ignore(text: bytes) -> None:
    pass


async def open_many(
    serving: Serving, seats: Sequence[tuple[Place, int]]
) -> tuple[list[Client], int]:
    """One connection for each seat: a place and the side in it. Gives them and the refusals."""
    gate = asyncio.Semaphore(AT_ONCE)
    opened = await asyncio.gather(*(open_one(serving, *seat, gate) for seat in seats))
    clients = [client for client in opened if client is not None]
    return clients, len(opened) - len(clients)


async def open_one(
    serving: Serving, place: Place, side: int, gate: asyncio.Semaphore
) -> Client | None:
    port, path = serving.ports[0], serving.dialect.path(place.conversation)
    async with gate:
        try:
            return await connect(port, path, headers_for(place.sessions[side], port), ignore)
        except (Refused, OSError):
            return None


def seats_for(serving: Serving, count: int) -> list[tuple[Place, int]]:
    """Everybody has one before anybody has a second."""
    seats = [(place, side) for side in (0, 1) for place in serving.places]
    return [seats[number % len(seats)] for number in range(count)]


async def take_accepting(serving: Serving, sizes: Sizes) -> Taken:
    warm, _ = await open_many(serving, seats_for(serving, AT_ONCE))
    watch, began = serving.watch(), time.perf_counter()
    clients, refused = await open_many(serving, seats_for(serving, sizes.accepted_connections))
    seconds, usage = time.perf_counter() - began, watch.end()
    for client in [*warm, *clients]:
        client.abort()
    figures = {
        "accepted": len(clients) / seconds,
        "server": usage.by_name["server"] / len(clients) * 1000,
    }
    return Taken(figures, usage, {"refused": refused})


async def take_memory(serving: Serving, sizes: Sizes) -> Taken:
    """What a first few hundred need once is not counted."""
    first, _ = await open_many(serving, seats_for(serving, sizes.idle_connections // 10))
    await asyncio.sleep(SETTLE_SECONDS)
    watch, before = serving.watch(), memory_bytes(serving.pids[0])
    clients, refused = await open_many(serving, seats_for(serving, sizes.idle_connections))
    await asyncio.sleep(SETTLE_SECONDS)
    grown, usage = memory_bytes(serving.pids[0]) - before, watch.end()
    lost = sum(client.closed.done() for client in [*first, *clients])
    for client in [*first, *clients]:
        client.abort()
    figures = {"memory": grown / KIBIBYTE / len(clients)}
    return Taken(figures, usage, {"refused": refused, "closed meanwhile": lost})


ACCEPTING = Measure(
    name="accepting",
    title="Connections accepted, session and participant checked",
    contenders=("tutorial", "ours"),
    figures=(
        Figure("accepted", "connections/s"),
        Figure("server", "server CPU ms a connection", "{:.2f}"),
    ),
    bars=(
        Bar(
            "connections accepted a second, against the tutorial behind AuthMiddlewareStack",
            *("accepted", "ours", "tutorial"),
            bar=1,
            aim=1.5,
        ),
    ),
    take=take_accepting,
)

MEMORY = Measure(
    name="memory",
    title="Memory of a connection on which nothing happens",
    contenders=("tutorial", "ours", "bare"),
    figures=(Figure("memory", "KiB a connection", "{:.1f}"),),
    bars=(Bar("KiB of an idle room connection", "memory", "ours", bar=32, aim=28, at_most=True),),
    take=take_memory,
)
