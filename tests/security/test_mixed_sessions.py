"""Many requests and sockets of two people at the same moment: each gets what is their own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
import websockets

from tests.live import Live
from tests.live_sockets import expect
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

PEOPLE = {"Sol": "sol@example.com", "Teo": "teo@example.com"}
REQUESTS = 60  # of each
AT_ONCE = 16


def test_parallel_requests_never_mix(live: Live) -> None:
    visitors = {name: Visitor(live, address) for name, address in PEOPLE.items()}

    def ask(name: str) -> bool:
        status, page = visitors[name].open("/accounts/")
        others = [address for other, address in PEOPLE.items() if other != name]
        text = page.decode()
        return status == 200 and PEOPLE[name] in text and not any(a in text for a in others)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(ask, [name for _ in range(REQUESTS) for name in PEOPLE]))
    assert all(found)
    assert len(found) == 2 * REQUESTS


async def test_parallel_sockets_never_mix(live: Live) -> None:
    visitors = {
        name: await asyncio.to_thread(Visitor, live, address) for name, address in PEOPLE.items()
    }

    async def find_owner(name: str) -> tuple[str, int]:
        async with websockets.connect(
            f"ws://127.0.0.1:{live.port}/ws/inbox/",
            origin=websockets.Origin(live.url),
            additional_headers={"Cookie": visitors[name].cookie_header},
        ) as socket:
            return name, (await expect(socket, "ready"))["user"]

    found = await asyncio.gather(*(find_owner(name) for _ in range(18) for name in PEOPLE))
    assert len(found) == 36
    assert len(set(found)) == len(PEOPLE)  # Each name always came with the same number,
    assert len({owner for _, owner in found}) == len(PEOPLE)  # and with a number of its own.
