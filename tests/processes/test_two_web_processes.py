"""Two people on two web processes: what one does reaches the other over the bus."""

import asyncio
import json
from collections.abc import Iterator

import pytest
import websockets

from marketplace.development.children import stop_children
from tests.live import Live
from tests.live_sockets import expect
from tests.services.ports import find_free_port
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

SLUG = """
from marketplace.listings.models import Listing
of_sol = Listing.objects.filter(seller__email="sol@example.com")
print(of_sol.order_by("pk").values_list("slug", flat=True)[5])
"""


@pytest.fixture
def second_port(live: Live) -> Iterator[int]:
    """Of another web process on the same database and Redis."""
    port = find_free_port()
    process = live.launch_web(port)
    yield port
    stop_children([process], seconds=10)


async def test_frames_cross_from_one_process_to_the_other(live: Live, second_port: int) -> None:
    slug = (await asyncio.to_thread(live.manage, "shell", "--no-imports", "-c", SLUG)).strip()
    teo = await asyncio.to_thread(Visitor, live, "teo@example.com")
    sol = await asyncio.to_thread(Visitor, live, "sol@example.com")
    path = f"/listings/{slug}/conversation/"
    _, stored = await asyncio.to_thread(teo.post, path, message="Is it still there?")
    room = f"/ws/room/{stored['conversation']}/"
    origin = websockets.Origin(live.url)
    async with (
        websockets.connect(
            f"{live.socket_url}{room}",
            origin=origin,
            additional_headers={"Cookie": teo.cookie_header},
        ) as first,
        websockets.connect(
            f"ws://127.0.0.1:{second_port}{room}",
            origin=origin,
            additional_headers={"Cookie": sol.cookie_header},
        ) as second,
    ):
        await expect(first, "ready")
        participants = (await expect(second, "ready"))["participants"]
        teo_id, sol_id = (person["id"] for person in participants)
        await first.send(json.dumps({"message": "Over here"}))
        sequence = (await expect(second, "chat_message", message="Over here"))["sequence"]
        await second.send(json.dumps({"type": "typing"}))
        await expect(first, "typing", user=sol_id)
        await second.send(json.dumps({"type": "read", "sequence": sequence}))
        await expect(first, "read", user=sol_id, sequence=sequence)
        await first.close()
        await expect(second, "presence", user=teo_id, online=False)
