"""How much one person or one connection may do. Counted in the process: Redis is in no send's path.

Sliding windows: the moments of the last accepted actions are kept, so no burst can straddle the
edge of a counting period.
"""

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _

from messaging import conf
from messaging.exceptions import RateLimited

IDLE_SECONDS = 120.0


class SlidingWindows:
    """At most `count` actions in each `seconds`, per key. Safe to call from any thread."""

    def __init__(self, limits: list[tuple[int, float]]) -> None:
        self._limits = limits
        self._longest = max((seconds for _, seconds in limits), default=0.0)
        self._moments: dict[Any, deque[float]] = {}
        self._lock = threading.Lock()
        self._swept_at = time.monotonic()

    def take(self, key: Any) -> tuple[float, float]:
        """Count one action now. Gives (seconds to wait, 0 when accepted; its moment)."""
        now = time.monotonic()
        with self._lock:
            self._sweep(now)
            moments = self._moments.setdefault(key, deque())
            while moments and moments[0] <= now - self._longest:
                moments.popleft()
            wait = max((self._wait(moments, now, *limit) for limit in self._limits), default=0.0)
            if wait <= 0:
                moments.append(now)
        return max(wait, 0.0), now

    def give_back(self, key: Any, moment: float) -> None:
        with self._lock:
            moments = self._moments.get(key)
            if moments and moment in moments:
                moments.remove(moment)

    @staticmethod
    def _wait(moments: deque[float], now: float, count: int, seconds: float) -> float:
        if len(moments) < count:
            return 0.0
        return moments[-count] + seconds - now

    def _sweep(self, now: float) -> None:
        """Forget people who have not written for a while."""
        if now - self._swept_at < IDLE_SECONDS:
            return
        self._swept_at = now
        old = now - self._longest
        idle = [key for key, moments in self._moments.items() if not moments or moments[-1] <= old]
        for key in idle:
            del self._moments[key]


# New blocks per seconds and person: each is told to every connection of two people, and so is
# taking it back, which there has to be a block for.
BLOCK_LIMITS = [(20, 3600.0)]

# Read positions and marks over HTTP per seconds and person, together: each holds the person's row.
MARK_LIMITS = [(60, 10.0)]

_sends: SlidingWindows | None = None
_blocks = SlidingWindows(BLOCK_LIMITS)
_marks = SlidingWindows(MARK_LIMITS)


def _send_windows() -> SlidingWindows:
    global _sends
    if _sends is None:
        _sends = SlidingWindows(conf.send_limits())
    return _sends


def forget_all() -> None:
    """Start counting anew with the settings as they are now."""
    global _sends, _blocks, _marks
    _sends, _blocks = None, SlidingWindows(BLOCK_LIMITS)
    _marks = SlidingWindows(MARK_LIMITS)


def take_send(user_id: Any) -> Callable[[], None]:
    """Count one message of this person. Gives what undoes it; raises RateLimited."""
    return _take(_send_windows(), user_id) if conf.send_limits() else _nothing


def take_block(user_id: Any) -> Callable[[], None]:
    """Count one block by this person. Lifted together with the limits on sending."""
    sentence = _("You have blocked many people lately. Please wait before blocking more.")
    return _take(_blocks, user_id, sentence) if conf.send_limits() else _nothing


def take_mark(user_id: Any) -> None:
    """Count one read position or mark of this person that came over HTTP; raises RateLimited.
    Lifted together with the limits on sending."""
    if conf.send_limits():
        _take(_marks, user_id)


def _take(windows: SlidingWindows, user_id: Any, sentence: Any = None) -> Callable[[], None]:
    wait, moment = windows.take(user_id)
    if wait > 0:
        raise RateLimited(sentence, retry_after=math.ceil(wait))
    return lambda: windows.give_back(user_id, moment)


def _nothing() -> None:
    pass


class FrameLimit:
    """60 frames per 10 s and connection.

    Whoever sends more is not heard until there is room for as many, while what was taken is
    answered and the rest waits in the network. Who then goes on as before is a flood: unless that
    much could have come in time, and was late because this process had stood still.
    """

    COUNT = 60
    SECONDS = 10.0
    LONGEST_STANDSTILL = 30.0
    LOOK_AGAIN_SECONDS = 0.1
    LAST_SECONDS = 1.0

    def __init__(self) -> None:
        self._moments: deque[float] | None = None  # Most connections never send anything.
        self._before = time.monotonic()  # The last moment that is not among them.
        # After a pause: since when frames are counted, how many there were, and for how long.
        self._since = self._until = 0.0
        self._taken = 0

    def take(self) -> bool:
        """Count a frame that is below the limit. False when there is more to be looked at."""
        now = time.monotonic()
        if self._is_full(now) and conf.send_limits():
            return False
        self._take(now)
        return True

    async def is_exceeded(self, is_gone: Callable[[], bool]) -> bool:
        """`is_gone`: whether the client is, for whom nothing is waited for."""
        if self.take():
            return False
        now, moments = time.monotonic(), self._moments
        assert moments is not None
        if now < self._until:
            self._until = now + self.SECONDS
            self._take(now)
            if self._taken <= (now - self._since) * self.COUNT / self.SECONDS:
                return False
            await asyncio.sleep(self.LAST_SECONDS)  # In which what was taken is answered.
            return True
        self._since = max(self._before, moments[0] - self.LONGEST_STANDSTILL)
        self._taken = self.COUNT
        while time.monotonic() - moments[-1] < self.SECONDS and not is_gone():
            await asyncio.sleep(self.LOOK_AGAIN_SECONDS)
        now = time.monotonic()
        self._until = now + self.SECONDS
        self._take(now)
        return False

    def _is_full(self, now: float) -> bool:
        if self._moments is None or len(self._moments) < self.COUNT:
            return False
        return now - self._moments[0] < self.SECONDS

    def _take(self, now: float) -> None:
        if self._moments is None:
            self._moments = deque(maxlen=self.COUNT)
        if len(self._moments) == self.COUNT:
            self._before = self._moments[0]
        self._moments.append(now)
        self._taken += 1
