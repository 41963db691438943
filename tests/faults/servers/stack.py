"""The stack that a campaign hurts: everything as separate processes, a fault proxy on every edge.

PostgreSQL with fsync on, Redis or Valkey, two web processes, two workers, two beats, a mail server.
Everything dies with the process that made it. Start processes from the main thread only: the
kernel ends a child with the thread that started it.
"""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from marketplace.development.children import wait_until
from tests.faults.clients.sessions import Sessions
from tests.faults.servers import programs
from tests.faults.servers.cast import Cast, Person, read_cast
from tests.faults.servers.clocks import Clocks
from tests.faults.servers.database import DATABASE, Database
from tests.faults.servers.disk import SmallDisk
from tests.faults.servers.members import SECONDS_TO_START, Members
from tests.faults.servers.network import FaultProxy, Network
from tests.faults.servers.processes import signal_family
from tests.services.places import PROJECT
from tests.services.postgresql import SET_PRIVILEGES, become_unprivileged, find_binaries

POSTGRES = f"postgres://postgres@127.0.0.1:{{port}}/{DATABASE}?sslmode=disable&gssencmode=disable"


class Stack(Members):
    """`environment` is added to what every program gets."""

    def __init__(
        self,
        directory: Path,
        seed: int,
        *,
        application: str = "marketplace.asgi:application",
        celery: str = "celery_app",
        environment: Mapping[str, str] | None = None,
        static: Path | None = None,
    ) -> None:
        super().__init__(directory, seed, application=application, celery=celery)
        self.static = static or directory / "static"
        self.added = dict(environment or {})
        self.network = Network(directory / "proxies.log", seed)
        self.clocks = Clocks(directory)
        self.disk: SmallDisk | None = None

    def start(self) -> "Stack":
        """Returns when everything answers. It may take half a minute."""
        self.network.start()
        self.start_disk()
        self.database = Database(
            self.directory / "postgres", find_binaries(), become=self.become_unprivileged()
        )
        self.database.make().start()
        self.database.make_database()
        self.redis.start()
        self.mails.start()
        self.edges = self.open_edges()
        self.environment = {
            **programs.base_environment(self.directory, self.static, self.web_urls),
            **self.added,
        }
        self.run_filling("prepare")
        for name in programs.PROGRAMS:
            self.start_process(name)
        for name in programs.PROGRAMS:
            self.wait_for(name)
        return self

    def wait_for(self, name: str) -> None:
        wait_until(
            lambda: self.answers(name),
            seconds=SECONDS_TO_START,
            what=f"{name} (see {self.directory}/{name}.log)",
            child=self.children[name],
        )

    def start_disk(self) -> None:
        disk = SmallDisk(self.directory / "disk")
        if become_unprivileged() != SET_PRIVILEGES and disk.start():
            self.disk = disk

    def become_unprivileged(self) -> Sequence[str]:
        return self.disk.become_unprivileged() if self.disk else become_unprivileged()

    def open_edges(self) -> dict[str, FaultProxy]:
        network, redis = self.network, "redis://127.0.0.1:{port}/0"
        for name in programs.WEBS:
            address = ("127.0.0.1", self.ports[name])
            network.open(f"client→{name}", address, "http://127.0.0.1:{port}")
        for name in (*programs.WEBS, "worker"):
            network.open(f"{name}→database", self.database.socket, POSTGRES)
            network.open(f"{name}→redis", self.redis.socket, redis)
        mail = ("127.0.0.1", self.mails.port)
        network.open("worker→mail", mail, "smtp://127.0.0.1:{port}")
        return network.proxies

    @property
    def web_urls(self) -> list[str]:
        """Through the proxies; also the origins of the pages."""
        return [self.edges[f"client→{name}"].listen_url for name in programs.WEBS]

    @property
    def direct_database_url(self) -> str:
        return self.database.direct_url

    def stop(self) -> None:
        """At once: nobody needs what is in there."""
        for process in self.children.values():
            signal_family(process.pid, signal.SIGKILL)
            process.wait()
        self.mails.stop()
        for name in list(self.paused):
            self.resume(name)
        self.redis.stop()
        if hasattr(self, "database"):
            self.database.stop()
        if self.disk is not None:
            self.disk.stop()
        self.network.stop()

    async def heal(self) -> None:
        """Everything runs as it should, and nothing is in anybody's way. RuntimeError if not."""
        self.network.heal()
        self.mails.heal()
        self.clocks.heal()
        if self.disk is not None:
            self.disk.heal()
        for name in list(self.paused):
            self.resume(name)
        for name in list(self.altered):
            await self.restart(name)
        for name in programs.NAMES:
            self.start_process(name)
            await self.ready(name)

    def fill(self, *, people: int = 60, listings: int = 120) -> Cast:
        """Once. Afterwards `sessions` signs them in."""
        cast = read_cast(self.run_filling("fill", str(people), str(listings)))
        self.sessions = Sessions(self.direct_database_url, cast.people)
        return cast

    async def change_account(self, how: str, person_id: int) -> None:
        """A new password, or the account is closed. RuntimeError when it is not known to be done,
        for instance because the database is away."""
        printed = await asyncio.to_thread(self.run_filling, how, str(person_id))
        self.sessions.people[person_id] = Person(**json.loads(printed))

    async def change_participants(self, how: str, person_id: int, conversation: str) -> None:
        """By staff, past the web processes. RuntimeError as above."""
        await asyncio.to_thread(self.run_filling, how, str(person_id), conversation)

    def run_filling(self, *arguments: str) -> str:
        """Straight at the services, past the proxies."""
        direct = {
            "DATABASE_URL": self.direct_database_url,
            "REDIS_URL": self.redis.url,
            "EMAIL_URL": self.mails.url,
        }
        ran = subprocess.run(
            [sys.executable, "-m", "tests.faults.servers.filling", *arguments],
            cwd=PROJECT,
            env={**self.environment, **direct},
            capture_output=True,
            text=True,
        )
        if ran.returncode:
            raise RuntimeError(ran.stdout + ran.stderr)
        return ran.stdout
