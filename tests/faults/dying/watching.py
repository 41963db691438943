"""The other person's sockets on a web process that lives on: do they get to see everything?"""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import websockets

CHANGES = ("chat_message", "message_changed")


class Watch:
    """One socket and what it has heard. Read it from any thread."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.ended = threading.Event()
        self.close_code: int | None = None
        self.revisions: list[int] = []
        # Sequence → (revision, text, whether it is deleted), as this client shows it.
        self.held: dict[int, tuple[int, str, bool]] = {}
        self.reads: dict[int, int] = {}
        self.cursor = ""

    def take(self, frame: dict[str, Any]) -> None:
        if frame["type"] in CHANGES:
            self.revisions.append(frame["revision"])
            shown = (frame["revision"], frame["message"], frame["deleted"])
            self.held[frame["sequence"]] = shown
        elif frame["type"] == "read":
            self.reads[frame["user"]] = frame["sequence"]
        elif frame["type"] == "heartbeat":
            self.cursor = frame.get("cursor", "")
        elif frame["type"] == "ready":
            for person in frame.get("participants", []):
                self.reads[person["id"]] = person["read_sequence"]
            self.ready.set()

    @property
    def is_in_order(self) -> bool:
        """No revision twice, none after a later one."""
        return self.revisions == sorted(set(self.revisions))


class Watchers:
    """An event loop in a thread of its own for all of them."""

    def __init__(self, web_url: str) -> None:
        self.web_url = web_url
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.tasks: list[asyncio.Task[None]] = []

    def open(self, path: str, session: str) -> Watch:
        watch = Watch()
        self.loop.call_soon_threadsafe(self._start, watch, path, session)
        assert watch.ready.wait(20), f"{path} could not be opened"
        return watch

    def _start(self, watch: Watch, path: str, session: str) -> None:
        self.tasks.append(self.loop.create_task(self._listen(watch, path, session)))

    async def _listen(self, watch: Watch, path: str, session: str) -> None:
        url = self.web_url.replace("http", "ws", 1) + path
        origin, headers = websockets.Origin(self.web_url), {"Cookie": f"sessionid={session}"}
        async with websockets.connect(url, origin=origin, additional_headers=headers) as socket:
            with suppress(websockets.ConnectionClosedError):  # With a code of ours.
                async for text in socket:
                    watch.take(json.loads(text))
        watch.close_code = socket.close_code
        watch.ended.set()

    def stop(self) -> None:
        async def end() -> None:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(20)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


def becomes_true(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
