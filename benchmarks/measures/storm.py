"""A line comes back: everybody who was on it returns at the same moment and wants what was missed,
while others go on writing."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field

from benchmarks.load.doors import Place, headers_for
from benchmarks.load.rooms import Tally, close_rooms, open_rooms
from benchmarks.load.talking import all_there, judge, send_at
from benchmarks.load.websocket import Client, Refused, connect
from benchmarks.measures.connections import seats_for
from benchmarks.serving import Serving
from benchmarks.taking import Bar, Figure, Measure, Sizes, Taken

# Those who write meanwhile sit in rooms of their own, at the end.
WRITERS = 10
WRITING_RATE = 20.0
LONGEST_SECONDS = 60.0
RETRY_SECONDS = 0.5  # After a refusal.
MISSED = 1


@dataclass
class Returning:
    """One socket that comes back with the revision up to which it had everything."""

    place: Place
    side: int
    after: int
    client: Client | None = None
    got: list[int] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    refusals: int = 0

    def take(self, text: bytes) -> None:
        frame = json.loads(text)
        if frame["type"] == "chat_message":
            self.got.append(frame["revision"])
        elif frame["type"] == "ready":
            self.ready.set()

    async def come_back(self, port: int) -> None:
        path = f"/ws/room/{self.place.conversation}/?after={self.after}"
        headers = headers_for(self.place.sessions[self.side], port)
        while self.client is None:
            try:
                self.client = await connect(port, path, headers, self.take)
            except (Refused, OSError):
                self.refusals += 1
                await asyncio.sleep(RETRY_SECONDS)
        await self.ready.wait()

    @property
    def has_all(self) -> bool:
        return self.ready.is_set() and self.got == [self.after + n for n in range(1, MISSED + 1)]


async def take(serving: Serving, sizes: Sizes) -> Taken:
    """Each comes back with all but the newest message of its conversation."""
    after = serving.ground.messages - MISSED
    seats = [
        seat
        for seat in seats_for(serving, sizes.storm_connections + 2 * WRITERS)
        if seat[0] not in serving.places[-WRITERS:]
    ]
    everybody = [Returning(place, side, after) for place, side in seats[: sizes.storm_connections]]
    last = range(len(serving.places) - WRITERS, len(serving.places))
    writers = await open_rooms(last, serving.door, Tally())
    tally, writing = writers[0].tally, asyncio.create_task(send_at(writers, WRITING_RATE))
    await asyncio.sleep(sizes.warm_up)
    watch, began, first = serving.watch(), time.perf_counter(), len(tally.delays)
    port = serving.ports[0]
    with suppress(TimeoutError):  # Who is not back by then is counted below.
        async with asyncio.timeout(LONGEST_SECONDS):
            await asyncio.gather(*(one.come_back(port) for one in everybody))
    seconds, usage = time.perf_counter() - began, watch.end()
    delays = tally.delays[first:]
    writing.cancel()
    await all_there(writers)
    judge(writers, tally)
    mistakes = {
        **tally.mistakes,
        "refused": sum(one.refusals for one in everybody),
        "not caught up": sum(not one.has_all for one in everybody),
    }
    close_rooms(writers)
    for one in everybody:
        if one.client is not None:
            one.client.abort()
    return Taken({"seconds": seconds, "slowest": max(delays) * 1000}, usage, mistakes)


STORM = Measure(
    name="storm",
    title="Everybody comes back at once with `after`, while others write 20 messages a second",
    contenders=("ours",),
    figures=(
        Figure("seconds", "s until all have all", "{:.1f}"),
        Figure("slowest", "slowest message meanwhile, ms"),
    ),
    bars=(Bar("s until 2,000 have caught up", "seconds", "ours", bar=15, aim=8, at_most=True),),
    take=take,
)
