"""Ending a process without losing what it has taken."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from messaging.admission import current_admission
from messaging.bus import current_bus
from messaging.heartbeat import current_heartbeat
from messaging.journals import current_journals

POLL_SECONDS = 0.05
CLOSE_SHARE = 0.1


async def drain(*, seconds: float, is_busy: Callable[[], bool]) -> None:
    """Commit what was taken, tell the sockets to come back elsewhere, let pages finish; at most
    `seconds`, all together. In this order, so that acknowledgements leave before the sockets
    close."""
    until = asyncio.get_running_loop().time() + seconds
    current_admission().is_ending = True
    await _within(seconds / 2, current_journals().finish())
    for connection in current_heartbeat().connections:
        connection.post({"type": "restarting"})
    await _until(until - seconds * CLOSE_SHARE, _finish(is_busy))
    await _until(until, current_journals().close())


async def _finish(is_busy: Callable[[], bool]) -> None:
    await current_journals().finish()
    await current_bus().finish()
    while is_busy():
        await asyncio.sleep(POLL_SECONDS)
    await current_bus().finish()  # What those pages have stored.


async def _until(moment: float, work: Coroutine[Any, Any, None]) -> None:
    await _within(moment - asyncio.get_running_loop().time(), work)


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(work, seconds)
