"""The threads that pages are made in, kept from one request to the next.

By itself Django starts a thread for each request and waits for its end, both on the event loop, and
every thread makes its own objects for the databases. Whatever is bound to a thread is given back at
a request's end, as it is where a server without an event loop keeps its threads.
"""

from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.db import connections

Application = Callable[[Any, Any, Any], Awaitable[None]]

MOST_KEPT = 32  # As many as are busy at the same time now and then; more of them would idle.


class PageThread(ThreadPoolExecutor):
    """One thread. Nobody else's request may wait behind what somebody left there."""

    def __init__(self) -> None:
        super().__init__(1, thread_name_prefix="page")
        self._unfinished: set[Future[Any]] = set()

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        future = super().submit(function, *args, **named)
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        return future

    def is_idle(self) -> bool:
        """All of it: the last may have been cancelled while one before it is still at work."""
        return not self._unfinished

    def retire(self) -> None:
        """It ends by itself, and what is bound to it is given back, once it has nothing to do."""
        self.submit(connections.close_all)
        self.shutdown(wait=False)


class KeptThreads:
    """An ASGI application around another one, whose synchronous parts run in these threads."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._free: list[PageThread] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        thread = self._free.pop() if self._free else PageThread()
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self._application(scope, receive, send)
        finally:
            self._take_back(thread)

    def _take_back(self, thread: PageThread) -> None:
        if thread.is_idle() and len(self._free) < MOST_KEPT:
            self._free.append(thread)
        else:
            thread.retire()
