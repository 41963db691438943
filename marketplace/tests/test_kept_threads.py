"""Pages are made in threads that are kept, and never in one that is still at work."""

import asyncio
import threading
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async

from marketplace.kept_threads import MOST_KEPT, KeptThreads, PageThread


class Pages:
    """What Django does with a request: some of it in its thread, within a context of its own."""

    def __init__(self) -> None:
        self.used: list[threading.Thread] = []
        self.begun, self.go_on = threading.Semaphore(0), threading.Event()
        self.go_on.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with ThreadSensitiveContext():
            await sync_to_async(self._make)()
            await sync_to_async(self._make)()

    def _make(self) -> None:
        self.used.append(threading.current_thread())
        self.begun.release()
        assert self.go_on.wait(10)


def ask(kept: KeptThreads) -> "asyncio.Task[None]":
    async def ask_once() -> None:
        await kept({}, None, None)

    return asyncio.create_task(ask_once())


async def test_the_next_page_is_made_in_the_same_thread() -> None:
    pages = Pages()
    await pages({}, None, None)
    await pages({}, None, None)
    assert (
        len(set(pages.used)) == 2
    )  # By itself each has its own; an ended one's number may return.
    pages.used.clear()
    kept = KeptThreads(pages)
    for _ in range(3):
        await kept({}, None, None)
    assert len(pages.used) == 6
    assert len(set(pages.used)) == 1


async def test_pages_at_the_same_time_have_threads_of_their_own() -> None:
    pages = Pages()
    pages.go_on.clear()
    kept = KeptThreads(pages)
    asking = [ask(kept) for _ in range(3)]
    for _ in asking:
        assert await asyncio.to_thread(pages.begun.acquire, timeout=5)
    assert len(set(pages.used)) == 3
    pages.go_on.set()
    await asyncio.gather(*asking)
    await kept({}, None, None)
    assert len(set(pages.used)) == 3


async def test_a_thread_that_is_still_at_work_is_given_to_nobody() -> None:
    """Its reader has left, and what it waits for has not come."""
    pages = Pages()
    pages.go_on.clear()
    kept = KeptThreads(pages)
    left = ask(kept)
    assert await asyncio.to_thread(pages.begun.acquire, timeout=5)
    left.cancel()
    await asyncio.wait([left])
    following = ask(kept)
    assert await asyncio.to_thread(pages.begun.acquire, timeout=5)
    assert len(set(pages.used)) == 2
    pages.go_on.set()
    await following


async def test_a_thread_is_at_work_while_any_of_it_is() -> None:
    """What came last was taken back before it began, as a server does with who has left."""
    thread, go_on = PageThread(), threading.Event()
    begun = thread.submit(go_on.wait, 10)
    assert thread.submit(print).cancel()
    assert not thread.is_idle()
    go_on.set()
    await asyncio.wrap_future(begun)
    while not thread.is_idle():
        await asyncio.sleep(0)
    thread.retire()


async def test_no_more_are_kept_than_may_be() -> None:
    pages = Pages()
    pages.go_on.clear()
    kept = KeptThreads(pages)
    asking = [ask(kept) for _ in range(MOST_KEPT + 2)]
    for _ in asking:
        assert await asyncio.to_thread(pages.begun.acquire, timeout=5)
    pages.go_on.set()
    await asyncio.gather(*asking)
    assert len(kept._free) == MOST_KEPT


async def test_what_a_page_raises_is_raised_and_costs_no_thread() -> None:
    class Broken(Exception):
        pass

    async def fail(scope: Any, receive: Any, send: Any) -> None:
        raise Broken

    kept = KeptThreads(fail)
    for _ in range(2):
        (error,) = await asyncio.gather(ask(kept), return_exceptions=True)
        assert isinstance(error, Broken)
    assert len(kept._free) == 1
