"""Our own fault proxies: one on each edge between two processes, so that each can be hurt alone.

All of them live in one process (`tests.faults.servers.proxies`). Modes:

- `pass`: as if it were not there.
- `blackhole`: takes connections and bytes and forwards nothing; what waits is delivered late.
- `reset`: RST for what is open, and for what comes before a byte of it got through.
- `swallow`: requests are delivered, their replies are not; then RST.
- `slow`: so many bytes a second and direction.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Literal

from marketplace.development.children import stop_children, tied_to_us
from tests.services.places import PROJECT

Mode = Literal["pass", "blackhole", "reset", "swallow", "slow"]
Upstream = Path | tuple[str, int]
SLOW_BYTES_A_SECOND = 4096


class Network:
    """The process of the proxies. Start it from the main thread."""

    def __init__(self, log: Path, seed: int = 0) -> None:
        self.log, self.seed = log, seed
        self.proxies: dict[str, FaultProxy] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.lock = threading.Lock()

    def start(self) -> "Network":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                tied_to_us([sys.executable, "-m", "tests.faults.servers.proxies"]),
                cwd=PROJECT,
                env=dict(os.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        return self

    def stop(self) -> None:
        if self.process is None:
            return
        stop_children([self.process], seconds=3)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process = None

    def open(self, name: str, upstream: Upstream, url: str, *, port: int = 0) -> "FaultProxy":
        """`url` has `{port}` where the port goes; a port of 0 is any that is free."""
        place = [str(upstream)] if isinstance(upstream, Path) else list(upstream)
        seed = f"{self.seed} {name}"
        port = self.ask(do="open", name=name, upstream=place, port=port, seed=seed)
        self.proxies[name] = FaultProxy(self, name, port, url.format(port=port))
        return self.proxies[name]

    def ask(self, **command: Any) -> Any:
        """RuntimeError when the process of the proxies has ended."""
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self.lock:
            self.process.stdin.write(json.dumps(command).encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"The fault proxies ended: see {self.log}")
        return json.loads(line)

    def counts(self) -> dict[str, dict[str, int]]:
        """By the edge's name: accepted, open, and what the faults did."""
        counts: dict[str, dict[str, int]] = self.ask(do="counts")
        return counts

    def heal(self) -> None:
        for proxy in self.proxies.values():
            proxy.heal()


class FaultProxy:
    """One edge. A mode holds for connections that come and for a share of those that are there."""

    def __init__(self, network: Network, name: str, port: int, listen_url: str) -> None:
        self.network, self.name, self.port, self.listen_url = network, name, port, listen_url
        self.mode: Mode = "pass"

    def set(self, mode: Mode, *, share: float = 1.0, rate: float = SLOW_BYTES_A_SECOND) -> int:
        """How many open connections it befell. `share` is of 1; `rate` is for `slow`."""
        self.mode = mode
        befallen: int = self.network.ask(
            do="set", name=self.name, mode=mode, share=share, rate=rate
        )
        return befallen

    def cut(self, *, share: float = 1.0) -> int:
        """RST for a share of what is open now, and nothing else; how many connections."""
        cut: int = self.network.ask(do="cut", name=self.name, share=share)
        return cut

    def heal(self) -> None:
        if self.mode != "pass":
            self.set("pass")

    def counts(self) -> dict[str, int]:
        return self.network.counts()[self.name]
