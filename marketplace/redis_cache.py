"""Django's cache on Redis, with one pool of connections for the whole process.

Django makes a cache anew in each context that asks for it (`django.core.cache.caches`): each open
socket, whose task is a context, would hold a connection of its own for as long as it is open.
"""

from functools import cache as made_once
from typing import Any

from django.core.cache.backends import redis
from django.utils.functional import cached_property


class RedisCache(redis.RedisCache):
    @cached_property
    def _cache(self: Any) -> Any:
        return make_client(self._class, tuple(self._servers), tuple(sorted(self._options.items())))


@made_once
def make_client(
    kind: type, servers: tuple[str, ...], options: tuple[tuple[str, Any], ...]
) -> redis.RedisCacheClient:
    """Safe between threads, as the pools in it are."""
    client: redis.RedisCacheClient = kind(servers, **dict(options))
    return client
