"""However many contexts there are, as each open socket is one, they share a few connections."""

from contextvars import Context
from typing import Any
from uuid import uuid4

from django.core.cache import cache, caches

SOCKETS = 30


def connections(client: Any) -> int:
    """Of this whole process's cache."""
    return len(client.client_list())


def test_each_context_has_a_cache_of_its_own_and_all_one_pool() -> None:
    redis: Any = cache._cache.get_client()  # type: ignore[attr-defined]
    key, before = str(uuid4()), connections(redis)
    kept = []
    for number in range(SOCKETS):
        context = Context()
        kept.append(context)
        context.run(cache.set, f"{key}-{number}", number, 60)
    assert len({id(context.run(lambda: caches["default"])) for context in kept}) > 1
    assert cache.get(f"{key}-7") == 7
    assert connections(redis) <= before + 1
