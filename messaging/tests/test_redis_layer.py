"""A network that swallows packets ends a connection of the layer, and nothing else."""

import asyncio
import errno
from typing import Any

import pytest
from channels_redis import pubsub
from django.conf import settings

from messaging.redis_layer import RedisPubSubChannelLayer

CONFIGURED = settings.CHANNEL_LAYERS["default"]["CONFIG"]


def fail(layer: Any) -> None:
    """As the kernel tells asyncio that nobody has acknowledged anything for too long."""
    [shard] = layer._get_layer()._shards
    shard._pubsub.connection._reader.set_exception(TimeoutError(errno.ETIMEDOUT, "timed out"))


async def reads(layer: Any) -> int:
    """How often the layer asks its connection for something in a moment, stopped when it does
    nothing else."""
    [shard] = layer._get_layer()._shards
    asked = 0
    get_message = shard._pubsub.get_message

    async def count(**options: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked > 100:
            raise asyncio.CancelledError
        return await get_message(**options)

    shard._pubsub.get_message = count
    fail(layer)
    await asyncio.sleep(0.3)
    shard._pubsub.get_message = get_message
    return asked


async def test_the_loop_goes_on_and_what_is_said_arrives() -> None:
    layer = RedisPubSubChannelLayer(**CONFIGURED)
    channel = await layer.new_channel()
    await layer.group_add("people", channel)
    assert await reads(layer) < 20
    async with asyncio.timeout(5):
        # Until it has subscribed anew; what is published before that nobody hears.
        waiting = asyncio.ensure_future(layer.receive(channel))
        while not waiting.done():
            await layer.group_send("people", {"type": "hello"})
            await asyncio.sleep(0.05)
    assert waiting.result() == {"type": "hello"}
    await layer.flush()


async def test_the_layer_that_it_is_made_from_would_never_do_anything_else() -> None:
    layer = pubsub.RedisPubSubChannelLayer(**CONFIGURED)
    channel = await layer.new_channel()
    await layer.group_add("people", channel)
    assert await reads(layer) > 100
    await layer.flush()


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("redis://127.0.0.1:6379/3", "Connection"),
        ("rediss://127.0.0.1:6379/3", "SSLConnection"),
        ("unix:///tmp/redis.sock?db=3", "UnixDomainSocketConnection"),
    ],
)
async def test_every_kind_of_connection_is_one_that_notices(address: str, kind: str) -> None:
    host = {"address": address, "socket_timeout": 15, "socket_connect_timeout": 2}
    layer: Any = RedisPubSubChannelLayer(hosts=[host])
    [shard] = layer._get_layer()._shards
    options = shard.host
    names = [each.__name__ for each in options["connection_class"].__mro__]
    assert names[:2] == ["AttentiveConnection", kind]
    assert (options["db"], options["socket_timeout"]) == (3, 15)
