"""The whole marketplace as separate processes: web server, Celery worker and beat, Redis, mail."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from marketplace.development.children import start_child, stop_children, wait_until
from tests.cast import PASSWORD
from tests.services import services
from tests.services.databases import create_database, drop_database
from tests.services.mails import MailSink
from tests.services.places import PROJECT
from tests.services.ports import find_free_port, is_listened_to
from tests.services.postgresql import PostgresServer, find_binaries
from tests.services.redis import RedisServer, find_binary

DATABASE = "trato_live"
# The demo people's own password opens nothing outside of debug, where the live marketplace runs.
SET_PASSWORDS = f"""
from accounts.models import User
for user in User.objects.all():
    user.set_password({PASSWORD!r})
    user.save()
"""
ADD_PERSON = """
from tests.cast import make_person
make_person({name!r}, email={email!r})
"""
COMMANDS = {
    "worker": ["celery", "-A", "celery_app", "worker", "--pool", "threads", "--concurrency", "4"]
    + ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"],
    "beat": ["celery", "-A", "celery_app", "beat", "--loglevel", "INFO"],
}
# Short enough to wait for in a test, long enough to be told apart.
TIMES = {
    "NOTIFY_DELAY_SECONDS": "3",
    "NOTIFY_CAP_SECONDS": "6",
    "HEARTBEAT_SECONDS": "2",
    "DRAIN_SECONDS": "1",
}


class Live:
    """Runs on a database, a Redis and a mail server of its own, filled with the demo data."""

    def __init__(self, directory: Path, database_url: str) -> None:
        self.directory = directory
        self.server = "daphne"
        self.port = find_free_port()
        self.mails = MailSink()
        self.redis = RedisServer(directory / "redis", find_binary())
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            **TIMES,
            "DATABASE_URL": database_url,
            "REDIS_URL": self.redis.url,
            "DATA_DIR": str(directory),
            "EMAIL_URL": self.mails.url,
            "SITE_URL": self.url,
            "ALLOWED_ORIGINS": self.url,
            "SEND_LIMITS": "off",
        }

    @property
    def url(self) -> str:
        """Without a slash at the end; also the origin of the pages."""
        return f"http://localhost:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://localhost:{self.port}"

    def start_all(self) -> "Live":
        (self.directory / "static").symlink_to(django_settings.STATIC_ROOT)
        self.redis.start()
        self.mails.start()
        self.manage("migrate", "--verbosity", "0")
        self.manage("seed_demo", "--verbosity", "0", DEBUG="1")
        self.manage("shell", "--no-imports", "-c", SET_PASSWORDS)
        for name in ("web", "worker", "beat"):
            self.start(name)
        return self

    def stop_all(self) -> None:
        stop_children(list(self.processes.values()), seconds=5)
        self.mails.stop()
        self.redis.stop()

    def start(self, name: str) -> None:
        """`web`, `worker` or `beat`; returns when the web server answers."""
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = start_child(
                [sys.executable, "-m", *self.command(name)],
                environment=self.environment,
                directory=PROJECT,
                output=log,
            )
        if name == "web":
            wait_until(
                lambda: self.health().get("database") == "ok",
                seconds=20,
                what=f"the web server (see {self.directory}/web.log)",
                child=self.processes[name],
            )

    def revive(self) -> None:
        """Start what an earlier test killed and did not start again, because it failed."""
        if self.redis.process is None or self.redis.process.poll() is not None:
            self.redis.start()
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.start(name)

    def command(self, name: str) -> list[str]:
        return web_command(self.port, self.server) if name == "web" else COMMANDS[name]

    def launch_web(self, port: int, **environment: str) -> subprocess.Popen[bytes]:
        """One web process more, on the same database and Redis: sockets reach it there, with the
        origin of the first. Whoever asks for it ends it."""
        with (self.directory / f"web-{port}.log").open("ab") as log:
            process = start_child(
                [sys.executable, "-m", *web_command(port, self.server)],
                environment={**self.environment, **environment},
                directory=PROJECT,
                output=log,
            )
        wait_until(lambda: is_listened_to(port), seconds=60, what="a web server", child=process)
        return process

    @contextmanager
    def another_web(self, **environment: str) -> Iterator[int]:
        """One web process more, for as long as it is needed. Gives its port."""
        port = find_free_port()
        self.processes["another web"] = self.launch_web(port, **environment)
        try:
            yield port
        finally:
            stop_children([self.processes.pop("another web")], seconds=10)

    @contextmanager
    def served_by(self, server: str) -> Iterator["Live"]:
        """The same marketplace behind one more door, with another web server in it."""
        other = copy(self)
        other.server, other.port, other.processes = server, find_free_port(), {}
        addresses = {"SITE_URL": other.url, "ALLOWED_ORIGINS": other.url}
        other.environment = {**self.environment, **addresses}
        other.start("web")
        try:
            yield other
        finally:
            stop_children(list(other.processes.values()), seconds=10)

    def kill(self, name: str) -> None:
        """As `kill -9` does. `redis` has methods of its own."""
        self.processes[name].kill()
        self.processes[name].wait()

    def restart(self, name: str) -> None:
        """As a deployment does: asks it to end, then starts it again."""
        stop_children([self.processes[name]], seconds=10)
        self.start(name)

    def manage(self, *arguments: str, **environment: str) -> str:
        """Run a management command on the live database; what it printed."""
        ran = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def add_person(self, name: str, email: str) -> None:
        """Somebody besides the demo people, with `PASSWORD` and a verified address."""
        self.manage("shell", "--no-imports", "-c", ADD_PERSON.format(name=name, email=email))

    def health(self) -> dict[str, Any]:
        """What `/health/ready/` says; empty when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3)
        try:
            connection.request("GET", "/health/ready/")
            state: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException):
            return {}
        finally:
            connection.close()
        return state


def web_command(port: int, server: str) -> list[str]:
    host = {"daphne": "--bind", "uvicorn": "--host"}[server]
    listen = [host, "127.0.0.1", "--port", str(port)]
    return [f"messaging.{server}", *listen, "marketplace.asgi:application"]


@contextmanager
def run_live() -> Iterator[Live]:
    """Needs the services started, Django set up and static files collected."""
    assert services.directory is not None
    main_url = os.environ["DATABASE_URL"]
    directory = services.directory / "live"
    directory.mkdir()
    running = Live(directory, create_database(main_url, DATABASE))
    try:
        yield running.start_all()
    finally:
        running.stop_all()
        drop_database(main_url, DATABASE)


@pytest.fixture(scope="session")
def live(collected_static: None) -> Iterator[Live]:
    with run_live() as running:
        yield running


@pytest.fixture(autouse=True)
def everything_runs(request: pytest.FixtureRequest) -> None:
    """Each test finds the live marketplace whole, whatever became of the one before."""
    if "live" in request.fixturenames:
        request.getfixturevalue("live").revive()


@pytest.fixture
def durable_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A second PostgreSQL, with fsync, for tests that kill it."""
    assert services.directory is not None
    directory = services.directory / "durable"
    server = PostgresServer(directory, find_binaries(), durable=True).make().start()
    yield server
    server.stop()
