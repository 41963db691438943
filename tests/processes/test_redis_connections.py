"""However many sockets are open, a web process asks its cache over a few connections."""

from contextlib import AsyncExitStack

import pytest
import redis

from tests.live import Live
from tests.processes.crowds import make_talks
from tests.processes.pressing import expect

pytestmark = pytest.mark.processes

SOCKETS = 30
# Those of the threads that ask at the same time, and of the channel layer.
FEW = 10


async def test_open_sockets_hold_no_connection_to_redis_each(live: Live) -> None:
    asking = redis.Redis.from_url(live.redis.url)
    with live.another_web() as port:
        [talk] = make_talks(live, port, 1)
        async with AsyncExitStack() as open_sockets:
            first = await open_sockets.enter_async_context(talk.enter(talk.buyer))
            await expect(first, "ready")
            before = len(asking.client_list())
            for guest in [talk.buyer, talk.seller] * (SOCKETS // 2):
                socket = await open_sockets.enter_async_context(talk.enter(guest))
                await expect(socket, "ready")
            assert len(asking.client_list()) <= before + FEW
