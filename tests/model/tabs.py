"""A tab: one socket of one person, fed and read without a server, and what its page would hold."""

import asyncio
import json
from typing import Any

from messaging.routing import websocket_application
from messaging.tests.sockets import ORIGIN

Frame = dict[str, Any]
IGNORED = ("presence", "typing", "pong")


class Line:
    """The application from its outermost door, with a list where the network is."""

    def __init__(self, path: str, session_key: str) -> None:
        bare, _, query = path.partition("?")
        headers = [(b"origin", ORIGIN.encode()), (b"cookie", f"sessionid={session_key}".encode())]
        self.scope = {
            "type": "websocket",
            "path": bare,
            "query_string": query.encode(),
            "headers": headers,
            "subprotocols": [],
        }
        self.inbound: asyncio.Queue[Any] = asyncio.Queue()
        self.frames: list[Frame] = []
        self.accepted = False
        self.close_code: int | None = None
        self.waits = False
        self.connection_id = ""
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> bool:
        self.inbound.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(
            websocket_application(self.scope, self._receive, self._send)
        )
        while not self.accepted and self.close_code is None and not self._task.done():
            await asyncio.sleep(0)
        return self.accepted

    async def close(self) -> None:
        self.inbound.put_nowait({"type": "websocket.disconnect", "code": 1001})
        if self._task is not None:
            await self._task

    def give(self, frame: Frame | str | bytes) -> None:
        message: dict[str, Any] = {"type": "websocket.receive"}
        if isinstance(frame, bytes):
            message["bytes"] = frame
        else:
            message["text"] = frame if isinstance(frame, str) else json.dumps(frame)
        self.inbound.put_nowait(message)

    def take(self) -> list[Frame]:
        """What has come since the last time."""
        frames, self.frames = self.frames, []
        return frames

    def take_answers(self, number: int) -> list[Frame]:
        """The acks and errors that have come, which are so many."""
        answers = [frame for frame in self.frames if frame["type"] in ("ack", "error")]
        assert len(answers) == number, answers
        self.frames = [frame for frame in self.frames if frame not in answers]
        return answers

    @property
    def is_idle(self) -> bool:
        done = self._task is None or self._task.done()
        return done or (self.waits and self.inbound.empty())

    async def _receive(self) -> Any:
        self.waits = True
        message = await self.inbound.get()
        self.waits = False
        return message

    async def _send(self, message: Any) -> None:
        if message["type"] == "websocket.accept":
            self.accepted = True
        elif message["type"] == "websocket.close":
            self.close_code = message.get("code") or 1000
        else:
            self.frames.append(json.loads(message["text"]))


class RoomTab:
    """A thread's page: what it shows, folded from a snapshot, frames and acks."""

    def __init__(self, person: int, process: int) -> None:
        self.person, self.process = person, process
        self.line: Line | None = None
        # sequence → (revision, body, deleted); everything up to `position` is in it.
        self.held: dict[int, tuple[int, str, bool]] = {}
        self.position = 0
        self.acked: set[int] = set()
        self.own: set[int] = set()  # What this very connection did and was acknowledged.
        self.doubtful: set[int] = set()  # What it sent again: the first sending may still come.
        self.unsure: set[int] = set()  # Messages that it holds and its connection may not know.
        self.reads: dict[int, int] = {}
        self.must_reach = 0
        self.must_read: dict[int, int] = {}
        self.ready: list[Frame] = []  # What said so since it was last looked at.
        self.heads: list[int] = []  # As `ready` and heartbeats say them.
        self.log: dict[int, Any] = {}

    def start(self, line: Line) -> None:
        """Another connection knows nothing of what was acknowledged to the one before."""
        self.line, self.own = line, set()
        self.doubtful = {revision for revision in self.acked if revision > self.position}
        self.unsure = {self.log[revision][0] for revision in self.doubtful}

    def load(self, results: list[Frame], revision: int) -> None:
        """As a page that was just rendered."""
        self.held = {m["sequence"]: _as_held(m) for m in results}
        self.position, self.acked = revision, set()

    def take_frames(self) -> None:
        assert self.line is not None
        for frame in self.line.take():
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind in ("chat_message", "message_changed"):
            self._take_message(frame)
        elif kind == "read":
            self._take_read(frame["user"], frame["sequence"])
        elif kind in ("ready", "heartbeat"):
            self.heads.append(frame["revision"])
            self.ready += [frame] if kind == "ready" else []
            self._advance(frame["revision"])
            for member in frame.get("participants", ()):
                self._take_read(member["id"], member["read_sequence"])
        else:
            assert kind in (*IGNORED, "participants", "place"), frame

    def _take_message(self, frame: Frame) -> None:
        revision, sequence = frame["revision"], frame["sequence"]
        if revision in self.doubtful:
            self.doubtful.discard(revision)
            self._compare(frame)
            return
        assert revision > self.position, ("came again, or too late", frame, self.position)
        assert revision not in self.own, ("one's own came back", frame)
        known = sequence in self.held
        if sequence not in self.unsure:
            assert known == (frame["type"] == "message_changed"), ("as the wrong type", frame)
        self._compare(frame)
        self.held[sequence] = _as_held(frame)
        self._advance(revision)

    def _compare(self, frame: Frame) -> None:
        """Each frame is the message as its revision made it."""
        made = self.log[frame["revision"]]
        assert made == (frame["sequence"], frame["message"], frame["deleted"]), (frame, made)

    def _take_read(self, user: int, sequence: int) -> None:
        self.reads[user] = max(self.reads.get(user, 0), sequence)

    def _advance(self, revision: int) -> None:
        self.position = max(self.position, revision)
        while self.position + 1 in self.acked:
            self.position += 1

    def must_know(self, revision: int, reads: dict[int, int]) -> None:
        """From now on it has at least this."""
        self.must_reach = max(self.must_reach, revision)
        for user, sequence in reads.items():
            self.must_read[user] = max(self.must_read.get(user, 0), sequence)

    # --- What this tab did itself -----------------------------------------------------------------

    def note_read(self, user: int, sequence: int) -> None:
        self._take_read(user, sequence)

    def note_own(
        self, revision: int, sequence: int, body: str, *, deleted: bool = False, again: bool = False
    ) -> None:
        if again and revision <= self.position:
            return
        (self.doubtful if again else self.own).add(revision)
        self.acked.add(revision)
        if revision >= self.held.get(sequence, (0,))[0]:
            self.held[sequence] = (revision, body, deleted)
        self._advance(self.position)


class InboxTab:
    """A list's page: one line, fetched anew whenever something says so."""

    def __init__(self, person: int, process: int) -> None:
        self.person, self.process = person, process
        self.line: Line | None = None
        self.row: Any = None
        self.cursor = ""
        self.told = False
        self.must_be_fresh = False
        self.unread: int | None = None
        self.log: dict[int, Any] = {}
        self.own: set[int] = set()

    def start(self, line: Line) -> None:
        self.line, self.own = line, set()

    def take_frames(self) -> None:
        assert self.line is not None
        for frame in self.line.take():
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind in ("ready", "heartbeat"):
            self.unread = frame.get("unread")
            self.told = self.told or frame["cursor"] != self.cursor
            self.cursor = frame["cursor"]
        elif kind in ("chat_message", "message_changed"):
            assert frame["revision"] not in self.own, ("one's own came back", frame)
            made = self.log[frame["revision"]]
            assert made == (frame["sequence"], frame["message"], frame["deleted"]), (frame, made)
            self.told = True
        else:
            assert kind in (*IGNORED, "read", "place", "participants", "removed"), frame
            self.told = self.told or kind not in IGNORED

    def must_know(self, revision: int, reads: dict[int, int]) -> None:
        self.must_be_fresh = True

    def note_read(self, user: int, sequence: int) -> None:
        self.told = True

    def note_own(
        self, revision: int, sequence: int, body: str, *, deleted: bool = False, again: bool = False
    ) -> None:
        if not again:
            self.own.add(revision)
        self.told = True


def _as_held(frame: Frame) -> tuple[int, str, bool]:
    return frame["revision"], frame["message"], frame["deleted"]
