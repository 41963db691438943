"""A web process is killed with somebody's only socket: they are not online for ever."""

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis
import websockets

from marketplace.development.children import stop_children
from tests.live import TIMES, Live
from tests.live_sockets import expect
from tests.services.ports import find_free_port
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

# A minute, without the heartbeat at which it is noticed.
LAPSES_MILLISECONDS = 60_000 - 1000 * int(TIMES["HEARTBEAT_SECONDS"])
SLUG = """
from marketplace.listings.models import Listing
of_sol = Listing.objects.filter(seller__email="sol@example.com")
print(of_sol.order_by("pk").values_list("slug", flat=True)[9])
"""


@dataclass
class Web:
    port: int
    process: subprocess.Popen[bytes]


@pytest.fixture
def doomed(live: Live) -> Iterator[Web]:
    """A second web process, which the test kills."""
    port = find_free_port()
    process = live.launch_web(port)
    yield Web(port, process)
    stop_children([process], seconds=10)


def connect(port: int, visitor: Visitor, conversation: str) -> websockets.connect:
    return websockets.connect(
        f"ws://127.0.0.1:{port}/ws/room/{conversation}/",
        origin=websockets.Origin(visitor.live.url),
        additional_headers={"Cookie": visitor.cookie_header},
    )


async def test_who_was_connected_there_goes_offline(live: Live, doomed: Web) -> None:
    slug = (await asyncio.to_thread(live.manage, "shell", "--no-imports", "-c", SLUG)).strip()
    teo = await asyncio.to_thread(Visitor, live, "teo@example.com")
    sol = await asyncio.to_thread(Visitor, live, "sol@example.com")
    path = f"/listings/{slug}/conversation/"
    _, stored = await asyncio.to_thread(teo.post, path, message="Is it still there?")
    async with connect(live.port, sol, stored["conversation"]) as watching:
        participants = (await expect(watching, "ready"))["participants"]
        [of_teo] = [person for person in participants if person["role"] == "buyer"]
        teo_id = of_teo["id"]
        async with connect(doomed.port, teo, stored["conversation"]) as lost:
            await expect(lost, "ready")
            if not of_teo["online"]:  # An earlier test may have left them as if they were here.
                await expect(watching, "presence", user=teo_id, online=True)
            doomed.process.kill()
            doomed.process.wait()
        with redis.Redis.from_url(live.redis.url) as client:
            [key] = [k for k in client.keys("*:presence.*") if str(teo_id) in k.decode()]
            assert 0 < client.pttl(key) <= LAPSES_MILLISECONDS
            client.pexpire(key, 1)  # As if that time had passed: nobody is left to renew it.
        await expect(watching, "presence", user=teo_id, online=False)
