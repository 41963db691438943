"""Who has a live socket. Liveness with a time to live in Django's cache, never durable.

Processes die without saying goodbye, so nothing rests on a disconnect being seen: keys lapse by
themselves, and each heartbeat of a process renews those of the people connected to it. Whoever
watches them looks at each heartbeat too.
"""

import logging
import math
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.cache import cache

from messaging import conf

logger = logging.getLogger(__name__)

SHOWN_SECONDS = 60  # Nobody is shown as here for longer after their last sign of life.
LATE_SECONDS = 2  # For a heartbeat of who watches that comes late.
LEAST_ROOM_SECONDS = 5  # For one of the process that renews.
LAST_SEEN_SECONDS = 90 * 24 * 3600
# After a failure the next questions are answered without asking: each would wait until its own
# deadline, and with hundreds of people who come back at once the last for minutes.
QUIET_SECONDS = 1.0
_quiet_until = 0.0


def _online_key(user_id: Any) -> str:
    return f"presence.{user_id}"


def _seen_key(user_id: Any) -> str:
    return f"last_seen.{user_id}"


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def lapse_seconds() -> int:
    """After which a key ends by itself, so early that the heartbeat after that is in time."""
    beat = math.ceil(conf.heartbeat_seconds())
    room = SHOWN_SECONDS - LATE_SECONDS - beat
    return min(max(room, beat + LEAST_ROOM_SECONDS), SHOWN_SECONDS)


def mark_online(user_ids: Iterable[Any]) -> None:
    """Renew the presence of these people with two pipelined writes. Whoever finds them here between
    the two, and asks since when, has to find that, too."""
    people = list(user_ids)
    day = today()
    try:
        cache.set_many({_seen_key(user_id): day for user_id in people}, LAST_SEEN_SECONDS)
        cache.set_many({_online_key(user_id): 1 for user_id in people}, lapse_seconds())
    except Exception as error:
        _report(error)


def mark_offline(user_id: Any) -> None:
    try:
        cache.delete(_online_key(user_id))
    except Exception as error:
        _report(error)


def forget(user_id: Any) -> None:
    """Neither here now nor ever seen: somebody whose account is erased."""
    try:
        cache.delete_many([_online_key(user_id), _seen_key(user_id)])
    except Exception as error:
        _report(error)


def find_all(user_ids: Iterable[Any]) -> dict[Any, tuple[bool, str | None]]:
    """Whether each is here, and the day they last were, with one question. Nobody when the cache is
    away."""
    people = [user_id for user_id in user_ids if user_id is not None]
    online = {_online_key(user_id): (user_id, "online") for user_id in people}
    seen = {_seen_key(user_id): (user_id, "seen") for user_id in people}
    found = _read({**online, **seen}) or {}
    return {
        user_id: ((user_id, "online") in found, found.get((user_id, "seen"))) for user_id in people
    }


def find_online(user_ids: Iterable[Any]) -> set[Any]:
    """Those of the people who have a live socket. Nobody when the cache is away."""
    return ask_online(user_ids) or set()


def ask_online(user_ids: Iterable[Any]) -> set[Any] | None:
    """Those of the people who have a live socket; None when the cache is away."""
    found = _read({_online_key(each): each for each in user_ids if each is not None})
    return None if found is None else set(found)


def find_last_seen(user_ids: Iterable[Any]) -> dict[Any, str]:
    """The day each person last had a socket, as YYYY-MM-DD."""
    return _read({_seen_key(each): each for each in user_ids if each is not None}) or {}


def _read(names: Mapping[str, Any]) -> dict[Any, Any] | None:
    """What there is under the keys, by what each stands for."""
    if time.monotonic() < _quiet_until:
        return None
    try:
        return {names[key]: value for key, value in cache.get_many(names).items()}
    except Exception as error:
        _report(error)
        return None


def _report(error: Exception) -> None:
    global _quiet_until
    _quiet_until = time.monotonic() + QUIET_SECONDS
    logger.warning("The cache is away: %s", type(error).__name__)
