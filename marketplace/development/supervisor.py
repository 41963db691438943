"""Starts the children, starts again those that die, and ends all of them together."""

import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from marketplace.development.children import start_child, stop_children
from marketplace.development.logs import LogFollower, say

LOOK_EVERY = 0.05  # Seconds.
MOST_RESTARTS = 5
RESTARTS_WITHIN = 60.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Together less than the 5 s in which one Ctrl-C must end everything.
SECONDS_TO_END = 3.5
SECONDS_TO_END_LAST = 0.5


class Stopped(Exception):
    """Everything is to end; with a sentence when it ends because something is broken."""


@dataclass
class Service:
    name: str
    command: Sequence[str | Path]
    log: LogFollower
    ends_last: bool = False
    when_it_dies: Callable[[], None] = lambda: None
    process: subprocess.Popen[bytes] | None = None
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_RESTARTS))


class Supervisor:
    """Not for threads: the kernel ties a child's life to the thread that started it."""

    def __init__(self, *, environment: Mapping[str, str], directory: Path, logs: Path) -> None:
        self.environment = environment
        self.directory = directory
        self.logs = logs
        self.services: list[Service] = []
        self.stop_asked = False
        for number in STOP_SIGNALS:
            signal.signal(number, self.ask_to_stop)

    def ask_to_stop(self, *_: object) -> None:
        self.stop_asked = True

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        ends_last: bool = False,
        when_it_dies: Callable[[], None] = lambda: None,
    ) -> None:
        log = LogFollower(self.logs / f"{name}.log")
        log.start_anew()
        service = Service(name, command, log, ends_last, when_it_dies)
        self.services.append(service)
        self.run(service)

    def run(self, service: Service) -> None:
        with service.log.path.open("ab") as log:
            service.process = start_child(
                service.command,
                environment=self.environment,
                directory=self.directory,
                output=log,
            )

    def run_to_end(self, command: Sequence[str | Path]) -> int:
        """A child that does its work in front of everybody; its exit status."""
        child = subprocess.Popen(
            [str(part) for part in command], cwd=self.directory, env=dict(self.environment)
        )
        return child.wait()

    def watch_until(self, condition: Callable[[], bool]) -> None:
        """Keep everything running until then. Raises Stopped when it is time to end."""
        while not condition():
            self.look()

    def look(self) -> None:
        if self.stop_asked:
            raise Stopped
        for service in self.services:
            self.show_trouble(service)
            if service.process is not None and service.process.poll() is not None:
                self.start_again(service, service.process.returncode)
        time.sleep(LOOK_EVERY)

    def show_trouble(self, service: Service) -> None:
        for line in service.log.read_trouble():
            say(f"{service.name} | {line}")

    def start_again(self, service: Service, status: int) -> None:
        if self.stop_asked:  # A Ctrl-C reaches the children too.
            return
        service.when_it_dies()
        now = time.monotonic()
        if len(service.deaths) == MOST_RESTARTS and now - service.deaths[0] < RESTARTS_WITHIN:
            tail = "\n".join(f"  {line}" for line in service.log.last_lines(15))
            raise Stopped(f"{service.name} keeps ending. The end of {service.log.path}:\n{tail}")
        service.deaths.append(now)
        say(f"{service.name} ended ({describe(status)}). Starting it again.")
        self.run(service)

    def stop(self) -> None:
        """End all, those last that others talk to until the end."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        for ends_last, seconds in ((False, SECONDS_TO_END), (True, SECONDS_TO_END_LAST)):
            chosen = [service for service in self.services if service.ends_last == ends_last]
            children = [service.process for service in chosen if service.process is not None]
            stop_children(children, seconds=seconds)


def describe(status: int) -> str:
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"
