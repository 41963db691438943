"""One socket of a tab: frames out, answers matched to them, and everything heard written down."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from tests.faults.clients.answers import CLOSED, Answer, refused, unknown
from tests.faults.clients.people import Session
from tests.faults.history import History

Frame = dict[str, Any]

OPEN_SECONDS = 8.0
ANSWER_SECONDS = 15.0
# A page takes a socket for dead after 60 s without a frame where heartbeats are 25 s apart. Here
# they are a few seconds apart.
QUIET_SECONDS = 20.0
NO_CODE = 1006
# Beside all `fields` of a frame, what most who read a history want of it.
TOLD = ("sequence", "revision", "deleted", "user", "cursor", "archived", "starred", "muted")


class Refused(Exception):
    """The handshake failed with a status, 0 for nobody there."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(eq=False)
class Line:
    """`operation` is the number of its `connect` in the history."""

    socket: ClientConnection
    history: History
    who: str
    about: dict[str, Any]  # The person, the tab and the conversation, at least.
    session: Session
    web: int
    operation: int = 0
    waiting: dict[str, asyncio.Future[Answer]] = field(default_factory=dict)
    # What takes an `ack` that comes when nobody waits for it any more: it still is one.
    late: dict[str, Callable[[Frame], None]] = field(default_factory=dict)
    closed: bool = False

    async def listen(self, take: Callable[[Frame], None]) -> int:
        """Until it ends; the close code. A line that says nothing for long is given up."""
        try:
            while True:
                async with asyncio.timeout(QUIET_SECONDS):
                    text = await self.socket.recv()
                frame: Frame = json.loads(text)
                self._write_down(frame)
                self._answer(frame)
                take(frame)
        except (TimeoutError, OSError):
            return NO_CODE
        except websockets.ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else NO_CODE
        finally:
            self._end()

    async def say(self, frame: Frame, take_late: Callable[[Frame], None]) -> Answer:
        """A frame with a `client_message_id`, and what is answered to it in time."""
        if self.closed:
            return CLOSED
        key = frame["client_message_id"]
        future = self.waiting.get(key) or asyncio.get_running_loop().create_future()
        self.waiting[key] = future
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.socket.send(json.dumps(frame))
                return await asyncio.shield(future)
        except TimeoutError:
            self.late[key] = take_late
            return unknown("no answer")
        except (OSError, websockets.ConnectionClosed):
            return unknown("closed")
        finally:
            self.waiting.pop(key, None)

    async def tell(self, frame: Frame) -> bool:
        """A frame that nothing answers. Whether it left."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.socket.send(json.dumps(frame))
        except (TimeoutError, OSError, websockets.ConnectionClosed):
            return False
        return True

    async def close(self) -> None:
        """As a page that is left does."""
        self._end()
        try:
            async with asyncio.timeout(2):
                await self.socket.close()
        except (TimeoutError, OSError):
            self.socket.transport.abort()

    def cut(self) -> None:
        """As a lost network does: the server hears nothing of it."""
        self._end()
        self.socket.transport.abort()

    def _end(self) -> None:
        self.closed = True
        for future in self.waiting.values():
            if not future.done():
                future.set_result(unknown("closed"))

    def _answer(self, frame: Frame) -> None:
        key = frame.get("client_message_id") or ""
        future = self.waiting.get(key)
        if future is None or future.done():
            if frame["type"] == "ack" and key in self.late:
                self.late.pop(key)(frame)
            return
        if frame["type"] == "ack":
            future.set_result(Answer("ok", body=frame))
        elif frame["type"] == "error":
            future.set_result(refused(frame["code"]))

    def _write_down(self, frame: Frame) -> None:
        """Whatever it is, and all that is in it: also what nobody should have been told."""
        value = {key: frame[key] for key in TOLD if key in frame}
        if "message" in frame:
            value["body"] = frame["message"]
        about = {
            "person": self.about["person"],
            "tab": self.about["tab"],
            "conversation": frame.get("conversation") or self.about["conversation"],
            "connection": self.operation,
        }
        value["fields"] = {key: told for key, told in frame.items() if key != "type"}
        self.history.see(self.who, "frame", **about, type=frame["type"], **value)


async def open_line(url: str, origin: str, session: Session) -> ClientConnection:
    """Raises Refused."""
    try:
        return await connect(
            url,
            origin=websockets.Origin(origin),
            additional_headers={"Cookie": session.cookies},
            compression=None,
            open_timeout=OPEN_SECONDS,
            ping_interval=None,
            close_timeout=1,
            max_size=None,
            proxy=None,
        )
    except websockets.InvalidStatus as error:
        raise Refused(error.response.status_code) from None
    except (OSError, TimeoutError, websockets.WebSocketException, EOFError):
        raise Refused(0) from None
