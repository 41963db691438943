"""Channels' pub/sub layer on Redis, with connections that notice that their network has failed.

Where packets are swallowed without a word, the kernel gives a connection up with ETIMEDOUT, which
in Python is a `TimeoutError`; and redis-py takes that for the end of a wait: nothing has come yet.
It is said again at once at every further read, nothing of which ever waits, so that the event loop,
and with it the process, never does anything else again.
"""

from functools import cache
from typing import Any

import redis
from channels_redis import pubsub
from channels_redis.utils import decode_hosts
from redis.asyncio.connection import AbstractConnection, Connection, parse_url


class RedisPubSubChannelLayer(pubsub.RedisPubSubChannelLayer):  # type: ignore[misc]
    """Configured as the one that it is made from. Hosts behind sentinels keep their connections."""

    def __init__(self, *args: Any, hosts: Any = None, **options: Any) -> None:
        attentive = [_with_attention(host) for host in decode_hosts(hosts)]
        super().__init__(*args, hosts=attentive, **options)


def _with_attention(host: dict[str, Any]) -> dict[str, Any]:
    if "master_name" in host:
        return host
    options = dict(host)
    if "address" in options:
        # An address decides over the kind of its connections, so it is read before it can.
        options |= parse_url(options.pop("address"))
    kind = options.get("connection_class", Connection)
    return {**options, "connection_class": attentive_connection(kind)}


@cache
def attentive_connection(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    class AttentiveConnection(kind):  # type: ignore[misc, valid-type]
        async def read_response(self, *args: Any, **options: Any) -> Any:
            failure = self._reader.exception() if self._reader else None
            if failure is not None:
                await self.disconnect(nowait=True)
                raise redis.ConnectionError(f"The connection has failed: {failure}") from failure
            return await super().read_response(*args, **options)

    return AttentiveConnection
