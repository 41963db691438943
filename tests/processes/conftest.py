"""`bin/dev` as a person starts it: nothing in the environment but HOME and PATH."""

import http.client
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from marketplace.development.children import tied_to_us, wait_until
from tests.services import services
from tests.services.places import PROJECT
from tests.services.ports import find_free_port

SECONDS_TO_START = 60
SECONDS_TO_END = 5


@dataclass
class Dev:
    """Keeps its database and everything else in a folder of its own over several starts."""

    directory: Path
    port: int = field(default_factory=find_free_port)
    process: subprocess.Popen[str] | None = None

    def launch(self, *arguments: str) -> subprocess.Popen[str]:
        self.process = subprocess.Popen(
            tied_to_us([PROJECT / "bin" / "dev", "--port", str(self.port), *arguments]),
            env={
                "HOME": str(self.directory),
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "DATA_DIR": str(self.directory / "var"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # A process group of its own, as a terminal gives it.
        )
        return self.process

    def start(self) -> "Dev":
        """Unless it runs already: a test leaves it to the next, and ends it for its output."""
        if self.process is None or self.process.poll() is not None:
            self.launch()
        self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        wait_until(
            lambda: self.status("/health/ready/") == http.HTTPStatus.OK,
            seconds=SECONDS_TO_START,
            what="bin/dev",
            child=self.process,  # type: ignore[arg-type]
        )

    def status(self, path: str) -> int:
        """0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def members(self) -> dict[str, int]:
        """What is alive in its process group: its role and its number."""
        assert self.process is not None
        listed = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,pgid=,stat=,args="], capture_output=True, text=True
        ).stdout
        rows = [line.split(maxsplit=3) for line in listed.splitlines()]
        return {
            role(row[3].split()): int(row[0])
            for row in rows
            if row[1] == str(self.process.pid) and not row[2].startswith("Z")
        }

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Exit status and what it printed, once nothing of it is left."""
        assert self.process is not None
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=SECONDS_TO_END)
        wait_until(lambda: not self.members(), seconds=SECONDS_TO_END, what="the children's end")
        return self.process.returncode, output

    def kill_all(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()


def role(command: list[str]) -> str:
    names = {
        "marketplace.development": "dev",
        "messaging.daphne": "web",
        "worker": "worker",
        "beat": "beat",
    }
    return next((names[part] for part in command if part in names), Path(command[0]).name)


@pytest.fixture(scope="module")
def dev() -> Iterator[Dev]:
    assert services.directory is not None
    directory = services.directory / "dev"
    directory.mkdir(exist_ok=True)
    described = Dev(directory)
    yield described
    described.kill_all()


@pytest.fixture
def dev_at_rest(dev: Dev) -> Dev:
    """Whatever an earlier test has left of it is gone."""
    dev.kill_all()
    return dev
