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

from tests.live import Live
from tests.processes.test_session_ends_everywhere import close_code, inbox_at, is_alive
from tests.processes.test_two_web_processes import second_port
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

__all__ = ["second_port"]

AT_MOST = 5.0  # seconds, with Redis
WITHOUT_REDIS = 15.0  # The heartbeat of these processes beats every 2 s, and Redis is waited for.
ENDS = {
    "new password": """
from accounts.models import User
user = User.objects.get(email={email!r})
user.set_password("another long password")
user.save()
""",
    "deactivation": """
from accounts.models import User
from accounts.deactivation import deactivate_person
deactivate_person(user=User.objects.get(email={email!r}))
""",
    "revoked by staff": """
from accounts.models import User
from accounts.sessions import end_every_session
user = User.objects.get(email={email!r})
end_every_session(wanted={{str(user.pk): ()}})
""",
}

Sockets = list[websockets.ClientConnection]


@asynccontextmanager
async def everywhere(live: Live, port: int, *visitors: Visitor) -> AsyncIterator[Sockets]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(inbox_at(at, visitor))
            for visitor in visitors
            for at in (live.port, port)
        ]


@pytest.mark.parametrize(
    ("name", "has_redis"), [*((name, True) for name in ENDS), ("revoked by staff", False)]
)
async def test_all_of_a_persons_sockets_close_and_no_others(
    name: str, has_redis: bool, live: Live, second_port: int
) -> None:
    email = f"ending-{name.rsplit(maxsplit=1)[-1]}-{has_redis}@example.net".lower()
    await asyncio.to_thread(live.add_person, "Ending", email)
    own = [await asyncio.to_thread(Visitor, live, email) for _ in range(2)]
    sol = await asyncio.to_thread(Visitor, live, "sol@example.com")
    async with (
        everywhere(live, second_port, *own) as closing,
        everywhere(live, second_port, sol) as staying,
    ):
        if not has_redis:
            live.redis.kill()
        try:
            command = ["shell", "--no-imports", "-c", ENDS[name].format(email=email)]
            await asyncio.to_thread(live.manage, *command)
            began = time.monotonic()
            codes = await asyncio.gather(*(close_code(socket) for socket in closing))
            assert codes == [4501] * 4
            assert time.monotonic() - began < (AT_MOST if has_redis else WITHOUT_REDIS)
            assert [await is_alive(socket) for socket in staying] == [True, True]
        finally:
            if not has_redis:
                live.redis.start()
    for visitor in own:
        assert visitor.get("/conversations/")[0] == 401
