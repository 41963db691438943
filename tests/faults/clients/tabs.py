"""A tab: one page with one socket, which comes back as docs/protocol.md tells a client to."""

import asyncio
import time
from random import Random
from typing import Any

from tests.faults.clients import pulling
from tests.faults.clients.answers import Answer
from tests.faults.clients.lines import NO_CODE, Frame, Line, Refused, open_line
from tests.faults.clients.people import Conversation, Person, Session
from tests.faults.clients.rooms import Room
from tests.faults.clients.scene import Scene

FIRST_PAUSE = 0.5
# The page's longest pause is 30 s. Shorter here, so that there is somebody to be served between
# two faults.
LONGEST_PAUSE = 4.0
STEADY_SECONDS = 10.0
OPENING_SECONDS = 3.0
SESSION_ENDED, NO_LONGER_PARTICIPANT = 4501, 4503
NEW_KEY_PAUSE = 2.0
TOLD_AT_READY = (
    *("revision", "read_sequence", "user", "role", "last_sequence", "unread", "cursor"),
)


def pause_after(code: int, attempts: int, random: Random) -> float:
    """Seconds. Full jitter always: whoever was cut off together must not come back together."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempts)
    least: dict[int, float] = {
        4412: random.random() * 3.0,
        4413: 5.0 * (1 + random.random()),
        4429: 10.0 * (1 + random.random()),
        4430: 5.0,  # Somebody looks at the tab again.
        SESSION_ENDED: NEW_KEY_PAUSE,
    }
    return least.get(code, 0.0) + random.random() * longest


class Tab:
    """Subclasses say what is at the other end, and what to do with what comes."""

    def __init__(self, scene: Scene, person: Person, number: int) -> None:
        self.scene = scene
        self.person = person
        self.number = number
        self.who = f"{person.id}.{number}"
        # Of the network's side of it. What a tab does has a Random for each operation.
        self.random = Random(f"{scene.seed} {self.who} network")
        self.line: Line | None = None
        self.is_here = asyncio.Event()
        self.is_here.set()
        self.has_moved = False
        self.ready = False
        self.has_opened = False  # Once, at least.

    # --- What subclasses fill in ----------------------------------------------------------------

    @property
    def conversation_id(self) -> str | None:
        return None

    def path(self) -> str:
        raise NotImplementedError

    def after(self) -> int | None:
        return None

    def take(self, frame: Frame) -> None:
        raise NotImplementedError

    async def ask_why(self) -> None:
        """After a refused handshake or the end of a session: over HTTP."""
        raise NotImplementedError

    def is_gone(self) -> None:
        """This tab's conversation is no longer theirs."""

    # --- Coming back ----------------------------------------------------------------------------

    @property
    def about(self) -> dict[str, Any]:
        return {
            "person": self.person.id,
            "tab": self.number,
            "conversation": self.conversation_id,
        }

    def session(self) -> Session:
        """Tabs stand on a person's devices in turn."""
        return self.person.devices[self.number % len(self.person.devices)]

    async def stay_connected(self) -> None:
        """Until cancelled. Not all tabs of a campaign are opened in the same moment."""
        await asyncio.sleep(self.random.random() * OPENING_SECONDS)
        attempts = 0
        while True:
            await self.person.is_in.wait()
            await self.is_here.wait()
            self.has_moved = False
            began = time.monotonic()
            code = await self._connect_once()
            steady = time.monotonic() - began > STEADY_SECONDS
            attempts = 0 if steady else attempts + 1
            if self.has_moved:  # On purpose: a page that is opened opens at once.
                continue
            if code == NO_LONGER_PARTICIPANT:
                self.is_gone()
            await asyncio.sleep(pause_after(code, attempts, self.random))
            if code == SESSION_ENDED:
                await self.ask_why()

    async def _connect_once(self) -> int:
        session, web = self.session(), self.scene.choose_web(self.random)
        history = self.scene.history
        value = {**self.about, "after": self.after(), "web": web, "session": session.number}
        operation = history.invoke(self.who, "connect", **value)
        url = self.scene.urls[web - 1]
        try:
            socket = await open_line(url.replace("http", "ws", 1) + self.path(), url, session)
        except Refused as refusal:
            history.end(operation, self.who, "connect", "fail", status=refusal.status)
            if refusal.status:
                await self.ask_why()
            return NO_CODE
        return await self._stay(Line(socket, history, self.who, value, session, web, operation))

    async def _stay(self, line: Line) -> int:
        """On an open line until it ends; its close code."""
        self.line, self.ready = line, False
        about = {key: line.about[key] for key in ("person", "tab", "conversation")}
        if self.has_moved:  # While it was being opened.
            line.cut()
        try:
            code = await line.listen(self._take)
        finally:
            line.cut()  # Does nothing to a line that has ended.
        history = self.scene.history
        if not self.ready:
            history.end(line.operation, self.who, "connect", "unknown", why="closed before ready")
        about |= {"connection": line.operation, "own": self.has_moved}
        history.see(self.who, "close", **about, code=code)
        self.line, self.ready = None, False
        return code

    def _take(self, frame: Frame) -> None:
        if frame["type"] == "ready" and not self.ready and self.line:
            self.ready = self.has_opened = True
            told = {key: frame.get(key) for key in TOLD_AT_READY}
            self.scene.history.end(self.line.operation, self.who, "connect", "ok", **told)
        self.take(frame)

    async def disconnect(self, *, cleanly: bool) -> None:
        """Ends the socket on purpose; `stay_connected` opens another one if the tab is here."""
        self.has_moved = True
        line = self.line
        if line is None:
            return
        if cleanly:
            await line.close()
        else:
            line.cut()


class RoomTab(Tab):
    """A thread. It keeps what it has seen of every conversation that it was in."""

    def __init__(
        self, scene: Scene, person: Person, number: int, conversation: Conversation
    ) -> None:
        super().__init__(scene, person, number)
        self.conversation = conversation
        self.rooms: dict[str, Room] = {}

    @property
    def conversation_id(self) -> str:
        return self.conversation.id

    @property
    def room(self) -> Room:
        return self.room_of(self.conversation.id)

    def room_of(self, conversation: str) -> Room:
        return self.rooms.setdefault(conversation, Room(conversation))

    def path(self) -> str:
        return f"/ws/room/{self.conversation.id}/?after={self.after()}"

    def after(self) -> int:
        return self.room.revision

    async def move(self, conversation: Conversation, *, cleanly: bool) -> None:
        self.conversation = conversation  # First: the next socket opens as soon as this one ends.
        await self.disconnect(cleanly=cleanly)

    def is_gone(self) -> None:
        others = [each for each in self.person.conversations if each is not self.conversation]
        self.conversation = self.random.choice(others or [self.conversation])

    def take(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind in ("chat_message", "message_changed"):
            self.room_of(frame["conversation"]).take_frame(frame)
        elif kind == "heartbeat":
            self._compare(self.room_of(frame["conversation"]), frame["revision"])
        elif kind == "ready":
            self.room_of(frame["conversation"]).reach(frame["revision"])

    def _compare(self, room: Room, revision: int) -> None:
        """A heartbeat ahead of everything that came: something is missing, which HTTP has."""
        if not room.lacks(revision):
            room.reach(revision)
            return
        gap = {"known": room.highest, "told": revision}
        self.scene.history.see(self.who, "gap", **self.about, **gap)
        self.scene.spawn(self._fetch(room))

    async def _fetch(self, room: Room) -> None:
        web = self.scene.choose_web(self.random)
        await pulling.pull(self.scene, self.who, self.person, room, self.session(), web)

    async def ask_why(self) -> None:
        room, session = self.room, self.session()
        web = self.scene.choose_web(self.random)
        answer = await pulling.pull(self.scene, self.who, self.person, room, session, web)
        if answer.code == "not_found":
            self.is_gone()

    def knows(self, conversation: Conversation) -> bool:
        """Whether its open socket is in this conversation."""
        line = self.line
        return line is not None and self.ready and line.about["conversation"] == conversation.id


class InboxTab(Tab):
    """The list of a person's conversations, kept up to date by an inbox socket."""

    def __init__(self, scene: Scene, person: Person, number: int) -> None:
        super().__init__(scene, person, number)
        self.rows: list[list[Any]] = []
        self.cursor: str | None = None
        self._fetching = False

    def path(self) -> str:
        return "/ws/inbox/"

    def take(self, frame: Frame) -> None:
        """A cursor that differs from the one that it has seen means: fetch the first page."""
        if frame["type"] not in ("ready", "heartbeat") or frame["cursor"] == self.cursor:
            return
        if not self._fetching:
            self._fetching = True
            self.scene.spawn(self._fetch(frame["cursor"]))

    async def _fetch(self, cursor: str) -> None:
        try:
            answer = await self._list()
            if answer.done:
                self.cursor = cursor
                self.rows = pulling.read_rows(answer.body)
            await self.scene.rest(self.random.uniform(5, 10))  # A list costs the server a lot.
        finally:
            self._fetching = False

    async def _list(self) -> Answer:
        web = self.scene.choose_web(self.random)
        return await pulling.list_conversations(
            self.scene, self.who, self.person, self.session(), web
        )

    async def ask_why(self) -> None:
        await self._list()

    @property
    def unread(self) -> int:
        """Conversations with something unread, of those that it shows."""
        return sum(1 for _, unread, _ in self.rows if unread)
