"""Sockets on which nobody says anything stay open, and get at once what is written elsewhere. The
long form is `bin/faults idle`."""

import asyncio
import os

import pytest
from channels_redis.core import RedisChannelLayer
from redis.exceptions import TimeoutError as RedisTimeoutError

from tests.faults.idle import stay_idle
from tests.live import Live

pytestmark = pytest.mark.processes

# redis-py 8 cuts who only waits after 5 s, unless told otherwise.
IDLE_SECONDS = 12.0


async def test_idle_sockets_stay_and_hear_at_once(live: Live) -> None:
    """Where the heartbeat comes too rarely to bring what the channel layer did not."""
    with live.another_web(HEARTBEAT_SECONDS="25") as port:
        troubles, trap = await asyncio.gather(
            stay_idle(live, idle_at=port, written_at=live.port, seconds=IDLE_SECONDS),
            wait_on_a_layer_without_deadlines_of_its_own(),
        )
    assert troubles == []
    assert isinstance(trap, RedisTimeoutError), "12 s would not have shown it"


async def wait_on_a_layer_without_deadlines_of_its_own() -> BaseException | None:
    """How it ends where nothing is configured."""
    layer = RedisChannelLayer(hosts=[os.environ["REDIS_URL"]], prefix="idle")
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            await layer.receive(await layer.new_channel())
    except (RedisTimeoutError, TimeoutError) as error:
        return error
    finally:
        await layer.close_pools()
    return None
