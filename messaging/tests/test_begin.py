"""What begins at once and goes on as a task only if it has to wait."""

import asyncio
from contextvars import Context, ContextVar

import pytest

from messaging import runtime

WHOSE: ContextVar[str] = ContextVar("whose", default="nobody's")


async def test_what_waits_for_nothing_is_over_at_once() -> None:
    done = []

    async def work() -> None:
        done.append(True)

    assert runtime.begin(work(), Context()) is None
    assert done == [True]


async def test_what_waits_goes_on_in_its_own_context() -> None:
    event, seen = asyncio.Event(), []

    async def work() -> None:
        seen.append("began")
        await event.wait()
        seen.append(WHOSE.get())
        await asyncio.sleep(0)
        seen.append("ended")

    context = Context()
    context.run(WHOSE.set, "its own")
    task = runtime.begin(work(), context)
    assert task is not None
    assert seen == ["began"]
    event.set()
    await task
    assert seen == ["began", "its own", "ended"]


async def test_what_it_waits_for_may_fail() -> None:
    waited_for: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    caught = []

    async def work() -> None:
        try:
            await waited_for
        except ConnectionError as error:
            caught.append(error)
        await asyncio.sleep(0)
        raise ValueError("of its own")

    task = runtime.begin(work(), Context())
    assert task is not None
    waited_for.set_exception(ConnectionError("gone"))
    with pytest.raises(ValueError, match="of its own"):
        await task
    assert [str(error) for error in caught] == ["gone"]


async def test_it_can_be_cancelled() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    task = runtime.begin(work(), Context())
    assert task is not None
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


async def test_what_fails_at_once_says_so_at_once() -> None:
    async def work() -> None:
        raise ValueError("at once")

    with pytest.raises(ValueError, match="at once"):
        runtime.begin(work(), Context())
