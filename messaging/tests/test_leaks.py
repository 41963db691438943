"""Connections that come, fail and go leave nothing behind: no object, group, task or file."""

import asyncio
import gc
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from messaging.attendance import ROLL_CALL, current_attendance
from messaging.consumers import InboxConsumer, RoomConsumer
from messaging.events import SESSIONS_GROUP
from messaging.heartbeat import current_heartbeat
from messaging.hub import current_hub
from messaging.models import Conversation
from messaging.runtime import CACHE_THREADS, in_database
from messaging.selectors import entering
from messaging.tests.browsing import post_json
from messaging.tests.sockets import Sockets
from messaging.tests.test_participants import add

CYCLES = 40


def count_everything() -> dict[str, int]:
    gc.collect()
    return {
        "connections": sum(
            type(one) is kind
            for kind in (RoomConsumer, InboxConsumer)
            for one in gc.get_referrers(kind)
        ),
        "heartbeat": current_heartbeat().count,
        "groups": sum(len(members) for members in current_hub()._groups.values()),
        "people": len(current_attendance().people),
        "tasks": len(asyncio.all_tasks()),
        "files": len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0,
    }


async def leave(sockets: Sockets, conversation: Conversation, user: Any) -> None:
    await (await sockets.room(user, conversation.pk)).close()


async def leave_an_inbox(sockets: Sockets, conversation: Conversation, user: Any) -> None:
    await (await sockets.inbox(user)).close()


async def fail(sockets: Sockets, conversation: Conversation, user: Any) -> None:
    socket = await sockets.room(user, conversation.pk)
    await socket.send(type="ping")
    assert await socket.close_code() == 4411
    await socket.close()


async def be_cancelled(sockets: Sockets, conversation: Conversation, user: Any) -> None:
    """As Daphne does when somebody takes too long to go."""
    socket = await sockets.room(user, conversation.pk)
    socket.communicator.future.cancel()
    await asyncio.wait([socket.communicator.future])


@pytest.mark.parametrize("cycle", [leave, leave_an_inbox, fail, be_cancelled])
async def test_nothing_is_left_of_those_who_went(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    cycle: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, logger="messaging.connection")
    monkeypatch.setattr(RoomConsumer, "receive_ping", lambda *_: 1 / 0)
    # Somebody stays, so that coming and going starts no tasks about presence.
    await sockets.inbox(buyer)
    await sockets.inbox(seller)
    before: dict[str, int] = {}
    for number in range(CYCLES):
        await cycle(sockets, conversation, buyer)
        sockets.forget_closed()
        if number == CYCLES // 2:
            before = await when_quiet()
    after = await when_quiet()
    # The cache's pool may still grow, by a connection for each thread that asks it: far fewer than
    # the cycles since.
    assert after.pop("files") <= before.pop("files") + CACHE_THREADS
    assert after == before
    assert before["heartbeat"] == before["connections"] == 2


async def when_quiet() -> dict[str, int]:
    """What there is once nothing changes any more."""
    counted: dict[str, int] = {}
    async with asyncio.timeout(60):  # Each count looks at everything that there is.
        while counted != (counted := count_everything()):
            await asyncio.sleep(0.2)
    return counted


@pytest.mark.parametrize("read_because", ["it opens", "of a block", "somebody came"])
async def test_who_goes_while_their_room_is_read_is_left_in_no_group(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    stranger: Any,
    staff: Any,
    read_because: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    enter_rooms = entering.enter_rooms

    def enter_and_wait(asked: Any) -> Any:
        rooms = enter_rooms(asked)
        begun.set()
        assert go_on.wait(10)
        return rooms

    async def unblock(on: int = 0) -> None:
        sol = await in_database(sockets.client, seller)
        await in_database(post_json, sol, f"/people/{buyer.pk}/block/", on=on)

    path = f"/ws/room/{conversation.pk}/"
    if read_because == "of a block":
        await unblock(on=1)
    if read_because == "it opens":
        monkeypatch.setattr(entering, "enter_rooms", enter_and_wait)
        ana = await sockets.open(buyer, path)
    else:
        ana = await sockets.room(buyer, conversation.pk)
        monkeypatch.setattr(entering, "enter_rooms", enter_and_wait)
    if read_because == "of a block":
        await unblock()
    elif read_because == "somebody came":
        await in_database(add, stranger, conversation, by=staff)
    assert await asyncio.to_thread(begun.wait, 5)
    await ana.close()
    go_on.set()
    await when_quiet()
    # Of this process, which hears of people whoever is connected.
    assert set(current_hub()._groups) == {ROLL_CALL, SESSIONS_GROUP}
