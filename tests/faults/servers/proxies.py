"""The process that holds every fault proxy: `python -m tests.faults.servers.proxies`.

Takes commands on its standard input and answers each on its standard output, one JSON object a
line. Ends with its input, so it cannot outlive the campaign. `network` beside it talks to it.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from typing import Any

from tests.faults.servers.relaying import Fault, Relay

MOST_WAITING = 512
PASS = Fault()


class Proxy:
    """Listens on a port of 127.0.0.1 and passes on to `upstream`: `[path]` or `[host, port]`."""

    def __init__(self, upstream: list[Any], seed: str) -> None:
        self.upstream = upstream
        self.fault, self.share = PASS, 1.0
        self.random = random.Random(seed)
        self.relays: set[Relay] = set()
        self.attempts: set[asyncio.Future[object]] = set()
        self.counts: Counter[str] = Counter()

    async def listen(self, port: int) -> int:
        server = await asyncio.get_running_loop().create_server(
            self.accept, "127.0.0.1", port, backlog=MOST_WAITING
        )
        return int(server.sockets[0].getsockname()[1])

    def accept(self) -> asyncio.Protocol:
        self.counts["accepted"] += 1
        fault = self.fault if self.random.random() < self.share else PASS
        self.counts["befallen"] += fault.mode != "pass"
        relay = Relay(
            connect=self.connect, fault=fault, counts=self.counts, ended=self.relays.discard
        )
        self.relays.add(relay)
        return relay.client

    def connect(self, make_protocol: Any) -> "asyncio.Future[object]":
        loop = asyncio.get_running_loop()
        opening: Any = (
            loop.create_unix_connection(make_protocol, self.upstream[0])
            if len(self.upstream) == 1
            else loop.create_connection(make_protocol, *self.upstream)
        )
        attempt = loop.create_task(opening)
        self.attempts.add(attempt)
        attempt.add_done_callback(self.attempts.discard)
        return attempt

    def change(self, fault: Fault, share: float) -> int:
        """For those that come, and for a share of those that are there; how many that are."""
        self.fault, self.share = fault, share
        chosen = 0
        for relay in list(self.relays):
            is_chosen = self.random.random() < share
            chosen += is_chosen
            relay.suffer(fault if is_chosen else PASS)
        return chosen

    def cut(self, share: float) -> int:
        """RST for a share of the connections that are there; new ones are not touched."""
        chosen = [relay for relay in list(self.relays) if self.random.random() < share]
        for relay in chosen:
            relay.cut("cut")
        return len(chosen)


class Commands:
    """What may stand in a line, by its `do`."""

    def __init__(self) -> None:
        self.proxies: dict[str, Proxy] = {}

    async def run(self, line: dict[str, Any]) -> Any:
        if line["do"] == "open":
            proxy = self.proxies[line["name"]] = Proxy(line["upstream"], line["seed"])
            return await proxy.listen(line["port"])
        if line["do"] == "counts":
            return {
                name: {**proxy.counts, "open": len(proxy.relays)}
                for name, proxy in self.proxies.items()
            }
        proxy = self.proxies[line["name"]]
        if line["do"] == "cut":
            return proxy.cut(line["share"])
        return proxy.change(Fault(line["mode"], line["rate"]), line["share"])


async def serve() -> None:
    commands, lines = Commands(), asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        print(json.dumps(await commands.run(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
