"""However many contexts there are, as each open socket is one, they share a few connections."""

from contextvars import Context
from uuid import uuid4

from django.conf import settings
from django.core.cache import cache, caches
from redis import Redis

SOCKETS = 30


def connections(client: Redis) -> int:
    """That anybody holds to this Redis."""
    return len(client.client_list())


def remember(key: str, value: int) -> None:
    cache.set(key, value, 60)  # Which cache that is depends on where it is asked for.


def test_each_context_has_a_cache_of_its_own_and_all_one_pool() -> None:
    redis: Redis = Redis.from_url(settings.CACHES["default"]["LOCATION"])
    cache.get("warm")
    key, before = str(uuid4()), connections(redis)
    kept = []
    for number in range(SOCKETS):
        context = Context()
        kept.append(context)
        context.run(remember, f"{key}-{number}", number)
    assert len({id(context.run(lambda: caches["default"])) for context in kept}) == SOCKETS
    assert cache.get(f"{key}-7") == 7
    assert connections(redis) <= before + 1
