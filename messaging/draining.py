"""Ending a process without losing what it has taken."""

import asyncio
from collections.abc import Callable

from messaging.bus import current_bus
from messaging.heartbeat import current_heartbeat
from messaging.journal import current_journal

POLL_SECONDS = 0.05


async def drain(*, seconds: float, is_busy: Callable[[], bool]) -> None:
    """Tell the sockets to come back elsewhere, commit what was taken, let pages finish; at most
    `seconds`."""
    for connection in current_heartbeat().connections:
        connection.post({"type": "restarting"})
    try:
        async with asyncio.timeout(seconds):
            await current_journal().finish()
            await current_bus().finish()
            while is_busy():
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        pass
    await current_journal().close()
