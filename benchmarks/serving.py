"""A contender's servers, running on a core of their own over a fresh copy of the data."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

from benchmarks.contenders.ejabberd import Ejabberd
from benchmarks.contenders.roster import BARE, EJABBERD, Contender
from benchmarks.ground import Ground
from benchmarks.load.dialects import Contract, Dialect, Tutorial
from benchmarks.load.doors import JsonDoor, Place, XmppDoor
from benchmarks.load.rooms import Door
from benchmarks.machine import Watch, pinned, processor_seconds
from marketplace.development.children import start_child, stop_children, wait_until
from tests.services.places import PROJECT
from tests.services.ports import find_free_port, is_listened_to

DATABASE = "run"
UVICORN = [
    *("uvicorn", "--ws", "websockets-sansio", "--ws-per-message-deflate", "false"),
    *("--ws-max-size", "65536", "--lifespan", "off", "--no-access-log", "--log-level", "warning"),
]


@dataclass
class Serving:
    """`pids` of the servers; `database_url` is "" where nothing is stored."""

    contender: Contender
    ground: Ground
    ports: list[int]
    pids: list[int]
    places: list[Place]
    database_url: str
    database: "subprocess.Popen[bytes] | None"

    @property
    def dialect(self) -> Dialect:
        return Contract() if self.contender.is_ours else Tutorial()

    @property
    def door(self) -> Door:
        if self.contender.application == EJABBERD:
            return XmppDoor(self.ports[0])
        return JsonDoor(self.places, self.dialect, self.ports)

    def watch(self) -> Watch:
        """Whom to watch while measuring: everybody who takes part."""
        return Watch(
            {
                "server": lambda: sum(map(processor_seconds, self.pids)),
                "database": lambda: seconds_of(self.database),
                "redis": lambda: seconds_of(self.ground.redis.process),
                # With what has been run for this measurement, and has ended.
                "load": lambda: sum(os.times()[:4]),
            }
        )


def seconds_of(process: "subprocess.Popen[bytes] | None") -> float:
    return 0.0 if process is None else processor_seconds(process.pid)


def serving(contender: Contender, ground: Ground) -> AbstractContextManager[Serving]:
    """Everything is gone at the end, its database too."""
    is_other = contender.application == EJABBERD
    return serving_ejabberd(contender, ground) if is_other else serving_django(contender, ground)


@contextmanager
def serving_ejabberd(contender: Contender, ground: Ground) -> Iterator[Serving]:
    server = Ejabberd(ground.directory / contender.name, 2 * ground.rooms)
    children: list[subprocess.Popen[bytes]] = []
    try:
        with pinned(ground.cores.others):
            server.start_database()
        with pinned(ground.cores.server):
            children.append(server.launch())
        is_there = partial(is_listened_to, server.port)
        wait_until(is_there, seconds=60, what=contender.title, child=children[0])
        pids, database = [children[0].pid], server.postgres.process
        yield Serving(contender, ground, [server.port], pids, [], server.database_url, database)
    finally:
        stop_children(children, seconds=15)
        server.postgres.stop()


@contextmanager
def serving_django(contender: Contender, ground: Ground) -> Iterator[Serving]:
    ports = [find_free_port() for _ in range(contender.processes)]
    url = copy_data(contender, ground)
    environment = environment_of(contender, ground, ports[0], url)
    ground.empty_redis()
    children: list[subprocess.Popen[bytes]] = []
    try:
        for port in ports:
            children.append(start_server(contender, ground, port, environment))
        for port, child in zip(ports, children, strict=True):
            wait_until(partial(is_listened_to, port), seconds=60, what=contender.title, child=child)
        pids = [child.pid for child in children]
        places, database = places_of(contender, ground), ground.postgres.process
        yield Serving(contender, ground, ports, pids, places, url, database)
    finally:
        stop_children(children, seconds=15)
        ground.drop_database(DATABASE)


def copy_data(contender: Contender, ground: Ground) -> str:
    if contender.application == BARE:
        return ""
    if not contender.is_ours:
        return ground.copy_database("contenders_filled", DATABASE)
    if contender.database == "sqlite":
        return ground.copy_sqlite()
    if contender.database == "vast":
        ground.fill_vast()
        return ground.copy_database("vast", DATABASE)
    return ground.copy_database("filled", DATABASE)


def places_of(contender: Contender, ground: Ground) -> list[Place]:
    return ground.places.get(contender.database if contender.is_ours else "contenders", [])


def environment_of(contender: Contender, ground: Ground, port: int, url: str) -> dict[str, str]:
    if contender.is_ours:
        told = {**ground.environment(port=port), "DATABASE_URL": url}
    else:
        told = ground.contenders_environment(DATABASE)
    return {**told, **contender.environment}


def start_server(
    contender: Contender, ground: Ground, port: int, environment: dict[str, str]
) -> "subprocess.Popen[bytes]":
    log = ground.directory / f"{contender.name}-{port}.log"
    with pinned(ground.cores.server), log.open("ab") as output:
        return start_child(
            [sys.executable, "-m", *command_of(contender, port), contender.application],
            environment=environment,
            directory=PROJECT,
            output=output,
        )


def command_of(contender: Contender, port: int) -> list[str]:
    if contender.is_ours:
        return [f"messaging.{contender.server}", *listen_on(port, contender.server)]
    if contender.server == "uvicorn":
        return [*UVICORN, *listen_on(port, "uvicorn")]
    return ["daphne", "-v", "0", *listen_on(port, "daphne")]


def listen_on(port: int, server: str) -> list[str]:
    host, number = ("--host", "--port") if server == "uvicorn" else ("-b", "-p")
    return [host, "127.0.0.1", number, str(port)]
