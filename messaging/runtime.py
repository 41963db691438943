"""Which event loop this process lives in, and what belongs to it.

Hub, journal and publisher are made once per loop, on first use. Threads (HTTP views, Celery tasks)
hand over to the loop that serves sockets; a process that serves none keeps one loop in a thread of
its own, since a loop per call would mean a connection to Redis per call (channels_redis #125).
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from functools import cache
from types import coroutine
from typing import Any, Generic, ParamSpec, TypeVar

from channels.db import database_sync_to_async

from messaging import conf

T = TypeVar("T")
P = ParamSpec("P")
CACHE_THREADS = 4

_home: asyncio.AbstractEventLoop | None = None
_background: tuple[int, asyncio.AbstractEventLoop] | None = None
_lock = threading.Lock()


class LoopLocal(Generic[T]):
    """One `T` for each event loop, made on first use with an empty context: what it starts lives
    longer than the request that happened to come first."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[asyncio.AbstractEventLoop, T] = {}

    def get(self) -> T:
        """Must be called inside a running loop."""
        loop = asyncio.get_running_loop()
        try:
            return self._values[loop]
        except KeyError:
            return self._make_for(loop)

    def _make_for(self, loop: asyncio.AbstractEventLoop) -> T:
        for old in [old for old in self._values if old.is_closed()]:
            del self._values[old]
        self._values[loop] = Context().run(self._make)
        return self._values[loop]

    def get_if_made(self) -> T | None:
        return self._values.get(asyncio.get_running_loop())

    def all(self) -> list[T]:
        """Of every loop that is not closed. From any thread."""
        return [value for loop, value in list(self._values.items()) if not loop.is_closed()]


def spawn(coroutine: Coroutine[Any, Any, T], context: Context | None = None) -> asyncio.Task[T]:
    """A task of the process, or of whatever has this context, and not of the request at hand. Keep
    a reference to it."""
    return asyncio.get_running_loop().create_task(coroutine, context=context or Context())


def begin(coroutine: Coroutine[Any, Any, None], context: Context) -> asyncio.Task[None] | None:
    """As `spawn`, with the first step made here and now; None when that was all of it. Until then
    it runs in whatever task this is, so it must not ask which."""
    try:
        waits_for = coroutine.send(None)
    except StopIteration:
        return None
    return spawn(_go_on(coroutine, waits_for), context)


async def _go_on(begun: Coroutine[Any, Any, None], waits_for: Any) -> None:
    await _rest_of(begun, waits_for)


@coroutine
def _rest_of(begun: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Waits for what it waits for, and hands on what comes of it."""
    with suppress(StopIteration):
        while True:
            try:
                given = yield waits_for
            except BaseException as error:
                waits_for = begun.throw(error)
            else:
                waits_for = begun.send(given)


async def wait_for(event: asyncio.Event, seconds: float) -> bool:
    """Whether it was set in time."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


def adopt_running_loop() -> None:
    """From now on this process's threads hand over to the loop that runs here."""
    global _home
    _home = asyncio.get_running_loop()


def hand_over(callback: Callable[..., object], *args: Any) -> None:
    """Call something in the process's loop soon, from any thread."""
    _process_loop().call_soon_threadsafe(lambda: callback(*args), context=Context())


def _process_loop() -> asyncio.AbstractEventLoop:
    if _home is not None and _home.is_running():
        return _home
    return _background_loop()


def _background_loop() -> asyncio.AbstractEventLoop:
    global _background
    with _lock:
        if _background is None or _background[0] != os.getpid():  # Threads do not survive a fork.
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="messaging-loop", daemon=True).start()
            _background = (os.getpid(), loop)
        return _background[1]


def run_in_background(function: Callable[[], Coroutine[Any, Any, None]], *, seconds: float) -> None:
    """In the loop of a process that serves no sockets, if it has one, after all that was handed
    over to it before. Raises TimeoutError."""
    with _lock:
        made = _background if _background and _background[0] == os.getpid() else None
    if made:
        asyncio.run_coroutine_threadsafe(function(), made[1]).result(seconds)


@cache
def database_executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(conf.database_threads(), thread_name_prefix="messaging-database")


@cache
def cache_executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CACHE_THREADS, thread_name_prefix="messaging-cache")


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run something that queries the database off the event loop.

    On threads of our own: Channels' default is one shared thread for the whole process.
    """
    return await _in_threads(database_executor(), function, *args, **kwargs)


async def in_cache(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for what asks the cache alone: whoever waits for the database is not in its way, and
    a cache that hangs is in nobody's."""
    return await _in_threads(cache_executor(), function, *args, **kwargs)


async def _in_threads(
    executor: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    call = database_sync_to_async(function, thread_sensitive=False, executor=executor)
    result: T = await call(*args, **kwargs)
    return result
