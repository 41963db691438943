"""Every way a session ends closes its sockets on every web process within five seconds, and no
others; with Redis stopped within a heartbeat.

One person has two sessions, each with a socket on each of two processes; somebody else has one.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from operator import sub
from textwrap import indent

import pytest
import websockets
from django.conf import settings

from marketplace import redis_urls
from messaging.hub import SUBSCRIBE_SECONDS
from tests.live import ADD_PERSON, Live
from tests.processes.test_session_ends_everywhere import BEAT_SECONDS, inbox_at, is_alive
from tests.processes.test_two_web_processes import second_port
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

__all__ = ["second_port"]

AT_MOST = 5.0  # seconds after the commit, with Redis
PATIENCE = 30.0  # After the command that ends them, for a clear answer instead of a wait.
WITHOUT_REDIS = 15.0  # The heartbeat of these processes beats every 2 s, and Redis is waited for.
ENDS = {
    "password": """
user.set_password("another long password")
user.save()
""",
    "deactivated": """
from accounts.deactivation import deactivate_person
deactivate_person(user=user)
""",
    "revoked": """
from accounts.sessions import end_every_session
end_every_session(wanted={str(user.pk): ()})
""",
}
# Each says when it is committed, before anybody is told of it.
END = """
import time
from django.db import transaction
from accounts.models import User
user = User.objects.get(email={email!r})
with transaction.atomic():
    transaction.on_commit(lambda: print("committed {email}", time.time()))
{end}
"""
# To begin a process takes longer than all that these do in it: one makes everybody, and one ends
# everything.
PEOPLE = [*ENDS, "alone"]

Sockets = list[websockets.ClientConnection]


@asynccontextmanager
async def everywhere(live: Live, port: int, *visitors: Visitor) -> AsyncIterator[Sockets]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(inbox_at(at, visitor))
            for visitor in visitors
            for at in (live.port, port)
        ]


@pytest.fixture(scope="module")
def emails(live: Live) -> dict[str, str]:
    found = {name: f"ending-{name}@example.net" for name in PEOPLE}
    scripts = [ADD_PERSON.format(name="Ending", email=email) for email in found.values()]
    live.manage("shell", "--no-imports", "-c", "\n".join(scripts))
    return found


async def end(live: Live, emails: dict[str, str], **ends: str) -> dict[str, float]:
    """The kind of end by the person's name. When each was committed (Unix time)."""
    scripts = [
        END.format(email=emails[name], end=indent(ENDS[kind], "    "))
        for name, kind in ends.items()
    ]
    said = await asyncio.to_thread(live.manage, "shell", "--no-imports", "-c", "\n".join(scripts))
    moments = dict(line.split()[1:] for line in said.splitlines() if line.startswith("committed "))
    return {name: float(moments[emails[name]]) for name in ends}


async def visitors(live: Live, *emails: str) -> list[Visitor]:
    return [await asyncio.to_thread(Visitor, live, email) for email in emails]


async def watch(socket: websockets.ClientConnection) -> float:
    """When it was closed, because its session had ended (Unix time)."""
    await socket.wait_closed()
    assert socket.close_code == 4501
    return time.time()


@asynccontextmanager
async def watched(closing: Sockets, staying: Sockets) -> AsyncIterator[asyncio.Future[list[float]]]:
    """All of the first close in here, and none of the others. When each did, in their order."""
    closed = asyncio.gather(*(watch(socket) for socket in closing))
    yield closed
    await asyncio.wait_for(closed, PATIENCE)
    assert [await is_alive(socket) for socket in staying] == [True] * len(staying)


async def test_all_of_a_persons_sockets_close_and_no_others(
    live: Live, emails: dict[str, str]
) -> None:
    """Each kind of end has two sessions of its own; they end one after the other, in a command that
    is over at once. The heartbeat of one of the two processes is too slow to help."""
    own = await visitors(live, *(emails[name] for name in ENDS for _ in range(2)))
    sol, alone = await visitors(live, "sol@example.com", emails["alone"])
    with live.another_web(HEARTBEAT_SECONDS=str(BEAT_SECONDS)) as port:
        async with (
            everywhere(live, port, *own) as closing,
            everywhere(live, port, sol, alone) as staying,
            watched(closing, staying) as closed,
        ):
            moments = await end(live, emails, **{name: name for name in ENDS})
    assert len(closing) == 12
    begins = [moments[name] for name in ENDS for _ in range(4)]
    assert max(map(sub, closed.result(), begins)) < AT_MOST
    assert [visitor.get("/conversations/")[0] for visitor in own] == [401] * len(own)
    assert alone.get("/conversations/")[0] == 200


async def test_so_they_do_without_redis(
    live: Live, second_port: int, emails: dict[str, str]
) -> None:
    own = await visitors(live, emails["alone"], emails["alone"])
    [sol] = await visitors(live, "sol@example.com")
    async with (
        everywhere(live, second_port, *own) as closing,
        everywhere(live, second_port, sol) as staying,
    ):
        live.redis.kill()
        try:
            async with watched(closing, staying) as closed:
                moments = await end(live, emails, alone="revoked")
        finally:
            live.redis.start()
    assert max(closed.result()) - moments["alone"] < WITHOUT_REDIS
    assert [visitor.get("/conversations/")[0] for visitor in own] == [401, 401]


def test_with_the_defaults_it_is_within_35_seconds() -> None:
    """Without Redis: a heartbeat, which is late by what the one before it waited for the cache, in
    four calls (`messaging.presence`); and a socket that is just being opened waits for the bus."""
    options = redis_urls.caches("redis://localhost")["default"]["OPTIONS"]
    waited = options["socket_connect_timeout"] + options["socket_timeout"]
    assert settings.MESSAGING_HEARTBEAT_SECONDS == 25
    assert settings.MESSAGING_HEARTBEAT_SECONDS + 4 * waited + SUBSCRIBE_SECONDS <= 35
