"""Pages of somebody for whom there is much, beside the same pages where there is little."""

import json
import statistics
import time

from benchmarks.load.pages import PageClient
from benchmarks.serving import Serving
from benchmarks.taking import Bar, Figure, Measure, Sizes, Taken
from benchmarks.vast_filling import Vast

FORTIETH = 40
ASKED = 30  # Times each, in turn.


class Reader:
    """One person's pages. Everything that is asked for has to be there."""

    def __init__(self, port: int, session: str) -> None:
        headers = {"Cookie": f"sessionid={session}", "Accept": "text/html"}
        self.client = PageClient(port, headers)

    async def time(self, path: str) -> float:
        """In ms."""
        began = time.perf_counter()
        answer = await self.client.ask("GET", path)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return (time.perf_counter() - began) * 1000

    async def find_page(self, number: int) -> str:
        """The path of that page of the inbox."""
        path = "/conversations/"
        for _ in range(number - 1):
            answer = await self.client.ask("GET", path, headers={"Accept": "application/json"})
            path = f"/conversations/?cursor={json.loads(answer.body)['next']}"
        return path


async def take(serving: Serving, sizes: Sizes) -> Taken:
    vast = Vast(**serving.ground.vast)
    port = serving.ports[0]
    many, few, other = (Reader(port, key) for key in (vast.many, vast.few, vast.other))
    for reader in (many, few, other):
        await reader.client.connect()
    asked = {
        "first": (many, "/conversations/"),
        "fortieth": (many, await many.find_page(FORTIETH)),
        "few": (few, "/conversations/"),
        "long": (other, f"/conversation/{vast.long}/"),
        "short": (other, f"/conversation/{vast.short}/"),
    }
    watch = serving.watch()
    times: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(ASKED):
        for name, (reader, path) in asked.items():
            times[name].append(await reader.time(path))
    usage = watch.end()
    found = {name: statistics.median(values) for name, values in times.items()}
    ratios = {
        "inbox": max(found["first"], found["fortieth"]) / found["few"],
        "thread": found["long"] / found["short"],
    }
    return Taken({**found, **ratios}, usage)


PAGES = Measure(
    name="pages",
    title="Pages: an inbox of 100,000 conversations beside one of 100, a thread of 100,000"
    " messages beside one of 100",
    contenders=("ours_vast",),
    figures=(
        Figure("first", "inbox of many, ms", "{:.1f}"),
        Figure("fortieth", "its 40th page, ms", "{:.1f}"),
        Figure("few", "inbox of few, ms", "{:.1f}"),
        Figure("long", "long thread, ms", "{:.1f}"),
        Figure("short", "short thread, ms", "{:.1f}"),
        Figure("inbox", "inbox, many/few", "{:.2f}"),
        Figure("thread", "thread, long/short", "{:.2f}"),
    ),
    bars=(
        Bar("× of an inbox page: many to few", "inbox", "ours_vast", "", 1.5, 1.1, at_most=True),
        Bar(
            "× of a thread page: long to short", "thread", "ours_vast", "", 1.2, 1.05, at_most=True
        ),
    ),
    take=take,
)
