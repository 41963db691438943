"""The processes of a stack, one by one: started, asked to end, killed, stopped and continued."""

import asyncio
import contextlib
import http.client
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random

from marketplace.development.children import start_child
from tests.faults.servers import programs
from tests.faults.servers.database import Database
from tests.faults.servers.mails import FaultyMailSink
from tests.faults.servers.network import FaultProxy
from tests.faults.servers.ports import find_quiet_port
from tests.faults.servers.processes import (
    Pause,
    children_of,
    descriptors_of,
    memory_of,
    peak_of,
    signal_family,
)
from tests.services.places import PROJECT
from tests.services.redis import RedisServer, find_binary

SECONDS_TO_START = 120
SECONDS_TO_END = 12
WRITES_DOWN = ("--appendonly", "yes")


class Members:
    """`application` and `celery` are what the web processes and Celery are told to run."""

    database: Database
    edges: dict[str, FaultProxy]
    environment: dict[str, str]

    def __init__(self, directory: Path, seed: int, *, application: str, celery: str) -> None:
        self.directory, self.seed = directory, seed
        self.application, self.celery = application, celery
        self.redis = RedisServer(directory / "redis", find_binary())
        self.mails = FaultyMailSink(seed)
        self.ports = {name: find_quiet_port() for name in programs.WEBS}
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.redis_keeps = False  # Whether it writes down what it is told, from its next start on.
        self.paused: dict[str, Pause] = {}
        self.altered: set[str] = set()  # Started with an environment of their own.
        self.kills: Counter[str] = Counter()
        self.stops: Counter[str] = Counter()
        self.effects: Counter[str] = Counter()  # By kind, the faults that met something.
        self.skipped: dict[int, str] = {}  # Nemeses that this machine cannot have, and why.
        self.crashes: list[str] = []  # What ended although nobody here ended it.

    @property
    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        """Those that were started, by name; the mail server runs in this one."""
        services = {"database": self.database.process, "redis": self.redis.process}
        started = {name: process for name, process in services.items() if process is not None}
        return {**started, **self.children}

    def is_running(self, name: str) -> bool:
        if name == "mail":
            return self.mails.controller is not None
        process = self.processes.get(name)
        return process is not None and process.poll() is None

    def start_process(self, name: str, **environment: str) -> None:
        """Without waiting for it (`ready`). Does nothing for one that runs."""
        assert threading.current_thread() is threading.main_thread()
        if self.is_running(name):
            return
        self.note_crash(name)
        self.resume(name)
        if name == "database":
            self.database.launch()
        elif name == "redis":
            self.redis.launch(*(WRITES_DOWN if self.redis_keeps else ()))
        elif name == "mail":
            self.mails.start()
        else:
            self.start_program(name, environment)

    def start_program(self, name: str, environment: Mapping[str, str]) -> None:
        edges = programs.name_edges(name)
        services = {key: self.edges[edge].listen_url for key, edge in edges.items()}
        (self.altered.add if environment else self.altered.discard)(name)
        with (self.directory / f"{name}.log").open("ab") as log:
            self.children[name] = start_child(
                programs.command_of(
                    name,
                    port=self.ports.get(name, 0),
                    application=self.application,
                    celery=self.celery,
                ),
                environment={**self.environment, **services, **environment},
                directory=PROJECT,
                output=log,
            )

    async def ready(self, name: str, *, seconds: float = SECONDS_TO_START) -> None:
        """Until it answers. RuntimeError when it does not in time, or ended."""
        if name == "database":
            return await self.database.become_ready()
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(self.answers, name):
            if time.monotonic() > deadline or not self.is_running(name):
                raise RuntimeError(f"{name} does not answer: see {self.directory}/{name}.log")
            await asyncio.sleep(0.05)

    def answers(self, name: str) -> bool:
        """Of workers and beats nothing is known but that they run."""
        if name == "database":
            return self.database.answers()
        if name == "redis":
            return self.redis.answers()
        if name in programs.WEBS:
            return is_serving(self.ports[name])
        return self.is_running(name)

    def kill(self, name: str) -> bool:
        """SIGKILL for it and all that it started; whether it ran. The mail server only stops
        listening: it runs in this process."""
        self.note_crash(name)
        was_running = self.is_running(name)
        if name == "mail":
            self.mails.stop()
        elif self.is_running(name):
            self.kills[programs.kind_of(name)] += 1
            signal_family(self.processes[name].pid, signal.SIGKILL)
            self.processes[name].wait()
        self.resume(name)
        self.forget(name)
        return was_running

    def kill_child(self, name: str, random: Random) -> int:
        """SIGKILL for one of those that it started; how many that were, 0 or 1."""
        children = children_of(self.processes[name].pid) if self.is_running(name) else []
        chosen = random.sample(children, min(1, len(children)))
        for pid in chosen:
            self.kills["pool child"] += 1
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(chosen)

    def terminate(self, name: str) -> None:
        """Ask it to end, as a deployment does; `ended` waits for it. What had ended by itself
        before is a crash."""
        self.note_crash(name)
        self.resume(name)
        self.stops[programs.kind_of(name)] += 1
        if name == "mail":
            self.mails.stop()
        elif self.is_running(name):
            # PostgreSQL's SIGTERM waits for its clients, who stay for hours.
            wanted = signal.SIGINT if name == "database" else signal.SIGTERM
            self.processes[name].send_signal(wanted)

    async def ended(self, name: str, *, seconds: float = SECONDS_TO_END) -> bool:
        """Wait for the end of what was asked to; whether it came by itself in time."""
        deadline = time.monotonic() + seconds
        while self.is_running(name) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        in_time = not self.is_running(name)
        if not in_time:
            self.kill(name)
        self.forget(name)
        return in_time

    async def come_back(self, name: str, **environment: str) -> float:
        """Starts it; how many seconds later it answered. RuntimeError when it does not."""
        began = time.monotonic()
        self.start_process(name, **environment)
        await self.ready(name)
        return round(time.monotonic() - began, 3)

    async def restart(self, name: str, **environment: str) -> bool:
        """Politely, with another environment; whether it ended in time."""
        self.terminate(name)
        in_time = await self.ended(name)
        await self.come_back(name, **environment)
        return in_time

    def pause(self, name: str) -> bool:
        """SIGSTOP for it and all that it started; whether it ran. The mail server cannot."""
        can_be = self.is_running(name) and name not in self.paused and name != "mail"
        if can_be:
            self.paused[name] = Pause(self.processes[name].pid)
        return can_be

    def resume(self, name: str) -> None:
        if pause := self.paused.pop(name, None):
            pause.end()

    def forget(self, name: str) -> None:
        """Its end was wanted."""
        self.children.pop(name, None)
        if name == "database":
            self.database.process = None
        elif name == "redis":
            self.redis.process = None

    def note_death(self, name: str) -> None:
        """It was made to die, in a way that nobody here did."""
        self.kills[programs.kind_of(name)] += 1
        self.forget(name)

    def died_of(self, name: str, status: int) -> bool:
        """Whether it has ended, with this status."""
        process = self.processes.get(name)
        return process is not None and process.poll() == status

    def note_crash(self, name: str) -> None:
        process = self.processes.get(name)
        if process is not None and process.poll() is not None:
            self.crashes.append(f"{name} ended with status {process.returncode}")
            self.forget(name)

    def note_crashes(self) -> None:
        for name in list(self.processes):
            self.note_crash(name)

    async def tell_redis(self, command: str) -> str:
        """The first line of what it answers, past the proxies. OSError when it does not."""
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_unix_connection(str(self.redis.socket))
            try:
                writer.write(f"{command}\r\n".encode())
                return (await reader.readline()).decode().strip()
            finally:
                writer.close()

    def memory(self) -> dict[str, int]:
        """Resident bytes of each that runs, with its children."""
        return {name: memory_of(pid) for name, pid in self.list_running()}

    def peak(self) -> dict[str, int]:
        """The most bytes that each of those ever held since it was started."""
        return {name: peak_of(pid) for name, pid in self.list_running()}

    def descriptors(self) -> dict[str, int]:
        """Open files and sockets of each that runs."""
        return {name: descriptors_of(pid) for name, pid in self.list_running()}

    def list_running(self) -> list[tuple[str, int]]:
        running = (name for name in self.processes if self.is_running(name))
        return [(name, self.processes[name].pid) for name in running]


def is_serving(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health/live/")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
