"""`bin/faults idle [--minutes 60]`: two sockets on which nobody says anything for an hour.

They answer the server's pings and nothing else. Afterwards both must be open, the same ones as at
the beginning, and get at once what somebody writes on another web process: over the channel layer
as it is configured, whose library cut idle connections after 5 s when nobody told it not to.
"""

import argparse
import asyncio
import json
import logging
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import websockets

from tests.services import services

if TYPE_CHECKING:
    from tests.live import Live

AT_ONCE_SECONDS = 3.0  # Well below a heartbeat, which would bring it too.
SLUG = """
from marketplace.listings.models import Listing
of_sol = Listing.objects.filter(seller__email="sol@example.com")
print(of_sol.order_by("pk").values_list("slug", flat=True)[3])
"""


@dataclass
class IdleSocket:
    """Open, listening and silent."""

    name: str
    connection: websockets.ClientConnection
    heard: Counter[str] = field(default_factory=Counter)
    texts: dict[str, float] = field(default_factory=dict)
    closed: str = ""

    async def listen(self) -> None:
        try:
            async for text in self.connection:
                frame = json.loads(text)
                self.heard[frame["type"]] += 1
                if frame["type"] == "chat_message":
                    self.texts[frame["message"]] = time.monotonic()
        finally:
            self.closed = f"closed with {self.connection.close_code}"

    async def hears(self, text: str, *, since: float) -> float | None:
        """After how many seconds it got this. None: not at once."""
        while time.monotonic() < since + AT_ONCE_SECONDS and text not in self.texts:
            await asyncio.sleep(0.01)
        return self.texts[text] - since if text in self.texts else None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/faults idle", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    minutes = parser.parse_args(arguments).minutes
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    try:
        services.start(sqlite=False)
        prepare_django()
        from tests.live import run_live

        with run_live() as live, two_webs(live) as port:
            print(f"{', '.join(services.lines)}; idle for {minutes:g} minutes", flush=True)
            stay = stay_idle(live, idle_at=live.port, written_at=port, seconds=minutes * 60)
            troubles = asyncio.run(stay)
    finally:
        services.stop()
    print("\n".join(troubles) or "passed: both sockets were open and got the message at once")
    return 1 if troubles else 0


def prepare_django() -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # Every line of SMTP otherwise.
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        call_command("collectstatic", interactive=False, verbosity=0)


@contextmanager
def two_webs(live: "Live") -> Iterator[int]:
    """Both with the heartbeat of every day. Gives the port of the second."""
    live.environment.pop("HEARTBEAT_SECONDS", None)
    live.restart("web")
    with live.another_web() as port:
        yield port


async def stay_idle(live: "Live", *, idle_at: int, written_at: int, seconds: float) -> list[str]:
    """On two web servers, by their ports. Gives what was wrong, in sentences."""
    from tests.visitor import Visitor

    slug = (await asyncio.to_thread(live.manage, "shell", "--no-imports", "-c", SLUG)).strip()
    teo = await asyncio.to_thread(Visitor, live, "teo@example.com")
    sol = await asyncio.to_thread(Visitor, live, "sol@example.com")
    path = f"/listings/{slug}/conversation/"
    _, stored = await asyncio.to_thread(teo.post, path, message="Is it still there?")
    room = f"/ws/room/{stored['conversation']}/"
    here = f"ws://localhost:{idle_at}"
    async with (
        idle_socket(teo, here + room) as in_room,
        idle_socket(teo, f"{here}/ws/inbox/") as in_inbox,
    ):
        began = time.monotonic()
        while time.monotonic() < began + seconds and not (in_room.closed or in_inbox.closed):
            await asyncio.sleep(min(1.0, seconds))
        waited = time.monotonic() - began
        since = await write_elsewhere(sol, f"ws://localhost:{written_at}{room}", "Yes, it is")
        found = [await judge(each, since=since, waited=waited) for each in (in_room, in_inbox)]
        return [trouble for trouble in found if trouble]


@asynccontextmanager
async def idle_socket(visitor: Any, url: str) -> AsyncIterator[IdleSocket]:
    async with connect(visitor, url) as connection:
        idle = IdleSocket("inbox" if "/inbox/" in url else "room", connection)
        listening = asyncio.create_task(idle.listen())
        try:
            while not idle.heard["ready"]:
                await asyncio.sleep(0.01)
            yield idle
        finally:
            listening.cancel()


def connect(visitor: Any, url: str) -> websockets.connect:
    return websockets.connect(
        url,
        origin=websockets.Origin(visitor.live.url),
        additional_headers={"Cookie": visitor.cookie_header},
        ping_interval=None,
    )


async def write_elsewhere(visitor: Any, url: str, text: str) -> float:
    """When it was acknowledged."""
    async with connect(visitor, url) as socket:
        await socket.send(json.dumps({"message": text}))
        while json.loads(await socket.recv())["type"] != "ack":
            pass
        return time.monotonic()


async def judge(idle: IdleSocket, *, since: float, waited: float) -> str:
    """Empty when all is well."""
    late = await idle.hears("Yes, it is", since=since)
    heard = ", ".join(f"{count} {kind}" for kind, count in sorted(idle.heard.items()))
    line = f"{idle.name}: {waited / 60:.1f} minutes idle; heard {heard}"
    print(line, "" if late is None else f"; the message after {late * 1000:.0f} ms", flush=True)
    if idle.closed:
        return f"{idle.name}: {idle.closed} after {waited:.0f} s"
    return f"{idle.name}: got nothing within {AT_ONCE_SECONDS:g} s" if late is None else ""
