"""People on four web processes, each of which hears only the channels that its own people need."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import redis
import websockets

from marketplace.development.children import stop_children
from tests.live import Live
from tests.live_sockets import expect
from tests.services.ports import find_free_port
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

SHARDS = 64  # So many that four people hardly share one.
SLUG = """
from marketplace.listings.models import Listing
of_sol = Listing.objects.filter(seller__email="sol@example.com")
print(of_sol.order_by("pk").values_list("slug", flat=True)[4])
"""


@pytest.fixture
def ports(live: Live) -> Iterator[list[int]]:
    """Of four web processes on the same database and Redis."""
    ports = [find_free_port() for _ in range(4)]
    processes = [live.launch_web(port, BUS_SHARDS=str(SHARDS)) for port in ports]
    yield ports
    stop_children(processes, seconds=10)


async def expect_all(socket: websockets.ClientConnection, types: set[str]) -> None:
    """In whichever order."""
    seen: set[str] = set()
    async with asyncio.timeout(10):
        while not types <= seen:
            seen.add(json.loads(await socket.recv())["type"])


def connect(live: Live, person: Visitor, port: int, path: str) -> Any:
    return websockets.connect(
        f"ws://127.0.0.1:{port}{path}",
        origin=websockets.Origin(live.url),
        additional_headers={"Cookie": person.cookie_header},
    )


def count_hearers(live: Live) -> dict[str, int]:
    """How many processes hear each channel of people."""
    with redis.Redis.from_url(live.redis.url) as client:
        names = [name.decode() for name in client.pubsub_channels("*messaging.bus.*")]
        return dict(client.pubsub_numsub(*names)) if names else {}


async def test_four_processes_hear_what_is_for_their_people(live: Live, ports: list[int]) -> None:
    slug = (await asyncio.to_thread(live.manage, "shell", "--no-imports", "-c", SLUG)).strip()
    sol, teo, ana = [
        await asyncio.to_thread(Visitor, live, f"{name}@example.com")
        for name in ("sol", "teo", "ana")
    ]
    rooms = {}
    for person in (teo, ana):
        path = f"/listings/{slug}/conversation/"
        _, stored = await asyncio.to_thread(person.post, path, message="Is it still there?")
        rooms[person] = stored["conversation"]
    async with AsyncExitStack() as stack:
        of_teo, of_ana, of_sol, inbox = [
            await stack.enter_async_context(connect(live, person, port, path))
            for port, person, path in (
                (ports[0], teo, f"/ws/room/{rooms[teo]}/"),
                (ports[1], ana, f"/ws/room/{rooms[ana]}/"),
                (ports[2], sol, f"/ws/room/{rooms[teo]}/"),
                (ports[3], sol, "/ws/inbox/"),
            )
        ]
        for socket in (of_teo, of_ana, of_sol, inbox):
            await expect(socket, "ready")
        await of_teo.send(json.dumps({"message": "From the first"}))
        for socket in (of_sol, inbox):
            await expect(socket, "chat_message", message="From the first")
        await of_ana.send(json.dumps({"message": "From the second"}))
        await expect(inbox, "chat_message", message="From the second", conversation=rooms[ana])
        await of_sol.send(json.dumps({"message": "From the third"}))
        sequence = (await expect(of_teo, "chat_message", message="From the third"))["sequence"]
        await of_teo.send(json.dumps({"type": "read", "sequence": sequence}))
        await of_teo.send(json.dumps({"type": "typing"}))
        await expect_all(of_sol, {"read", "typing"})
        frame = {"message": "From the fourth", "conversation": rooms[ana]}
        await inbox.send(json.dumps(frame))
        # The first frame that Ana gets of a message: nothing of Teo's has come before it.
        told = await expect(of_ana, "chat_message")
        assert (told["message"], told["conversation"]) == ("From the fourth", rooms[ana])
        hearers = count_hearers(live)
        assert 0 < sum(hearers.values()) < len(ports) * len(hearers), hearers
        # One that spreads nobody yet, as while a new number is rolled out, is heard all the same.
        path = f"/conversation/{rooms[teo]}/new_message/"
        await asyncio.to_thread(sol.post, path, message="From elsewhere")
        await expect(of_teo, "chat_message", message="From elsewhere")
    async with asyncio.timeout(10):
        while any(count_hearers(live).values()):
            await asyncio.sleep(0.05)
