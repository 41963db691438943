"""Throws frames at a socket, one by one and in bursts, and has each answer judged."""

import asyncio
import logging
import time
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from messaging.heartbeat import current_heartbeat
from messaging.journals import Journals, current_journals
from tests.model import answers
from tests.model.frames import FrameMaker
from tests.model.pretending import Pretence
from tests.model.remembering import Memory
from tests.model.tabs import Line
from tests.model.world import World

# In turns: against the database itself, and then many more against what answers like it.
REAL_FRAMES, PRETENDED_FRAMES = 200, 9_800
BURST = 50
CPU_SECONDS = 1.0  # For one burst, in the loop's thread. The whole process waits for it.
REPLIES = ("Yes?", "I am here.")
REAL, PRETENDED = "frames to the real database", "frames to the pretended database"
PASSED_OVER = ("presence", "heartbeat", "read")


class Failures(logging.Handler):
    """Whatever is logged as an error while frames are thrown."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


class Thrower:
    def __init__(self, world: World, seed: int, failures: Failures) -> None:
        self._world, self._maker, self._failures = world, FrameMaker(seed), failures
        self.counts: Counter[str] = Counter()
        self.slowest = 0.0

    def throw(self, number: int, *, real: int = REAL_FRAMES) -> None:
        """So many frames, half of them over a room and half over an inbox; `real` of each turn
        against the database itself."""
        while number:
            turn = min(number, real + PRETENDED_FRAMES)
            number -= turn
            to_real = min(real, turn)
            for share, pretend in ((to_real, False), (turn - to_real, True)):
                self._talk(share // 2, in_room=True, pretend=pretend)
                self._talk(share - share // 2, in_room=False, pretend=pretend)

    def _talk(self, count: int, *, in_room: bool, pretend: bool) -> None:
        if count == 0:
            return
        self._meet()
        self._memory = Memory(self._maker.conversation, 1 + len(REPLIES), keeps=not pretend)
        with pytest.MonkeyPatch.context() as patch:
            if pretend:
                pretence = Pretence(self._maker.conversation)
                pretence.put_in_place(patch, self._world.run(_find_journal()))
            burst = BURST if pretend else 1
            self._world.run_for_long(self._throw(count, in_room=in_room, burst=burst))
        self._world.end()
        self.counts[PRETENDED if pretend else REAL] += count

    def _meet(self) -> None:
        self._world.begin()
        path = f"/listings/{self._world.listing.slug}/conversation/"
        _, answer = self._world.post(0, path, message="Hello", client_message_id=str(uuid4()))
        self._maker.conversation = answer["conversation"]
        for body in REPLIES:
            path = f"/conversation/{answer['conversation']}/new_message/"
            self._world.post(1, path, message=body)

    async def _throw(self, count: int, *, in_room: bool, burst: int) -> None:
        """What is answered in order goes in bursts, the rest one by one."""
        path = f"/ws/room/{self._maker.conversation}/" if in_room else "/ws/inbox/"
        line = await self._open(path)
        together: list[str] = []
        for number in range(1, count + 1):
            frame = self._make(number, real=burst == 1)
            if isinstance(frame, bytes):
                await self._throw_bytes(line, frame)
                line = await self._open(path)
            elif burst == 1 or _comes_late(frame):
                await self._throw_one(line, frame, in_room=in_room)
            else:
                together.append(frame)
            if len(together) == burst or number == count:
                await self._burst(line, together, in_room=in_room)
                together = []
            assert not self._failures.found, (frame[:300], together, self._failures.found[0])
            assert line.close_code is None, (line.close_code, frame)

    def _make(self, number: int, *, real: bool) -> str | bytes:
        """The real database gets many messages that it can store, and then store again."""
        return self._maker.make_message() if real and number % 2 else self._maker.make()

    async def _open(self, path: str) -> Line:
        line = Line(path, self._world.clients[0].cookies["sessionid"].value)
        assert await line.open()
        self._world.lines.append(line)
        await self._wait(line)
        line.take()
        self.counts["sockets"] += 1
        return line

    async def _throw_one(self, line: Line, frame: str, *, in_room: bool) -> None:
        line.give(frame)
        given = await self._wait_for_answers(line)
        self._check(frame, given, in_room=in_room)
        self._count(given[-1] if given else {"type": "nothing"})

    def _check(self, frame: str, given: list[answers.Frame], *, in_room: bool) -> None:
        answers.check(frame, given, in_room=in_room)
        judged = self._memory.check(frame, given[-1], in_room=in_room) if given else ""
        if judged:
            self.counts[f"judged: {judged}"] += 1

    async def _throw_bytes(self, line: Line, frame: bytes) -> None:
        """The only frame that ends a socket."""
        line.give(frame)
        given = await self._wait_for_answers(line)
        assert (line.close_code, given) == (4400, [])
        self.counts["frames"] += 1
        self.counts["closed 4400"] += 1

    async def _burst(self, line: Line, frames: list[str], *, in_room: bool) -> None:
        """All at once. As many answers as frames, in their order."""
        for frame in frames:
            line.give(frame)
        given = await self._wait_for_answers(line)
        assert len(given) == len(frames), (given, frames)
        for frame, answer in zip(frames, given, strict=True):
            self._check(frame, [answer], in_room=in_room)
            self._count(answer)
        self.counts["in bursts"] += len(frames)

    async def _wait_for_answers(self, line: Line) -> list[answers.Frame]:
        began = time.thread_time()
        await self._wait(line)
        self.slowest = max(self.slowest, time.thread_time() - began)
        assert self.slowest < CPU_SECONDS, self.slowest
        return [frame for frame in line.take() if frame["type"] not in PASSED_OVER]

    def _count(self, answer: answers.Frame) -> None:
        self.counts["frames"] += 1
        self.counts[f"{answer['type']} {answer.get('code', '')}".strip()] += 1

    async def _wait(self, line: Line) -> None:
        """Until this socket has nothing more to do."""
        async with asyncio.timeout(30):
            quiet = 0
            while quiet < 2:
                await asyncio.sleep(0 if quiet or line.is_idle else 0.0002)
                quiet = quiet + 1 if self._is_quiet(line) else 0

    def _is_quiet(self, line: Line) -> bool:
        journals = current_journals()
        if not line.is_idle or journals.is_at_work():
            return False
        connections: list[Any] = current_heartbeat().connections
        return not any(
            each._mailbox or _runs(each._working) or each._tasks or _runs(each._changing)
            for each in connections
        )


async def _find_journal() -> Journals:
    return current_journals()


def _comes_late(frame: str) -> bool:
    """Whether its answer may come after those of the frames that follow, or not at all."""
    return bool(answers.expect(frame, in_room=False) & {"nothing", "ready"}) or bool(
        answers.expect(frame, in_room=True) & {"nothing", "ready"}
    )


def _runs(task: Any) -> bool:
    return task is not None and not task.done()
