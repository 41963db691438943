"""Every way a session ends closes its sockets on every web process within five seconds, and no
others; with Redis stopped within a heartbeat.

One person has two sessions, each with a socket on each of two processes; somebody else has one.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import websockets

from tests.live import ADD_PERSON, Live
from tests.processes.test_session_ends_everywhere import close_code, inbox_at, is_alive
from tests.processes.test_two_web_processes import second_port
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

__all__ = ["second_port"]

AT_MOST = 5.0  # seconds, with Redis
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
FIND = """
from accounts.models import User
user = User.objects.get(email={email!r})
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


async def end(live: Live, emails: dict[str, str], *names: str, by: str = "") -> None:
    scripts = [FIND.format(email=emails[name]) + ENDS[by or name] for name in names]
    await asyncio.to_thread(live.manage, "shell", "--no-imports", "-c", "\n".join(scripts))


async def visitors(live: Live, *emails: str) -> list[Visitor]:
    return [await asyncio.to_thread(Visitor, live, email) for email in emails]


async def expect_closed(closing: Sockets, staying: Sockets, *, within: float) -> None:
    """All of these by now, and none of those."""
    began = time.monotonic()
    codes = await asyncio.gather(*(close_code(socket) for socket in closing))
    assert codes == [4501] * len(closing)
    assert time.monotonic() - began < within
    assert [await is_alive(socket) for socket in staying] == [True] * len(staying)


async def test_all_of_a_persons_sockets_close_and_no_others(
    live: Live, second_port: int, emails: dict[str, str]
) -> None:
    """Each kind of end has two sessions of its own; they end one after the other."""
    own = await visitors(live, *(emails[name] for name in ENDS for _ in range(2)))
    sol, alone = await visitors(live, "sol@example.com", emails["alone"])
    async with (
        everywhere(live, second_port, *own) as closing,
        everywhere(live, second_port, sol, alone) as staying,
    ):
        await end(live, emails, *ENDS)
        await expect_closed(closing, staying, within=AT_MOST)
    assert len(closing) == 12
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
            await end(live, emails, "alone", by="revoked")
            await expect_closed(closing, staying, within=WITHOUT_REDIS)
        finally:
            live.redis.start()
    assert [visitor.get("/conversations/")[0] for visitor in own] == [401, 401]
