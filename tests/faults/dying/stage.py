"""What the dying processes stand on: a database, Redis, a mail server, a web process that lives
on, and the nursery. Everything real, everything its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from marketplace.development.children import start_child, stop_children, tied_to_us, wait_until
from tests.faults.dying.facts import Facts
from tests.faults.dying.watching import Watchers
from tests.faults.servers.members import is_serving
from tests.services import ENVIRONMENT
from tests.services.mails import MailSink
from tests.services.places import PROJECT
from tests.services.ports import find_free_port
from tests.services.redis import RedisServer, find_binary

HEARTBEAT_SECONDS = 0.5
# Several heartbeats, on a machine that has other things to do.
HEALED_WITHIN_SECONDS = 15.0


class Nursery:
    """`tests.faults.dying.nursery`, which forks a child for each order."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        with (directory / "nursery.log").open("ab") as log:
            self.process = subprocess.Popen(
                tied_to_us([sys.executable, "-m", "tests.faults.dying.nursery"]),
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._read()

    def run(
        self, act: str, arguments: dict[str, Any], place: str = "", after: int = 1
    ) -> tuple[int, list[dict[str, Any]]]:
        """Exit status of the child, and what had left it before it ended."""
        order = {"act": act, "arguments": arguments, "place": place, "after": after}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self._read()
        return answer["status"], answer["reports"]

    def get(self, act: str, **arguments: Any) -> list[dict[str, Any]]:
        """The reports of a child that must not fail."""
        status, reports = self.run(act, arguments)
        assert status == 0, f"{act} ended with {status}: see nursery.log"
        return reports

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "The nursery has ended: see nursery.log"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.wait(10)


class Stage:
    def __init__(self, directory: Path, database_url: str) -> None:
        self.directory = directory
        self.database_url = database_url
        self.redis = RedisServer(directory / "redis", find_binary())
        self.mails = MailSink()
        self.ends = ExitStack()
        self.port = find_free_port()
        self.url = f"http://localhost:{self.port}"
        self.environment = {
            **os.environ,
            **ENVIRONMENT,
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "DATABASE_URL": database_url,
            "REDIS_URL": self.redis.url,
            "DATA_DIR": str(directory),
            "EMAIL_URL": self.mails.url,
            "SITE_URL": self.url,
            "ALLOWED_ORIGINS": self.url,
            "SEND_LIMITS": "off",
            "HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
            "NOTIFY_DELAY_SECONDS": "0",
            "NOTIFY_CAP_SECONDS": "0",
            "DRAIN_SECONDS": "1",
            "LOG_LEVEL": "WARNING",
        }

    def start(self) -> "Stage":
        self.redis.start()
        self.ends.callback(self.redis.stop)
        self.nursery = Nursery(self.directory, self.environment)
        self.ends.callback(self.nursery.stop)
        self.nursery.get("migrate")
        self.web = self._start_web()
        self.ends.callback(stop_children, [self.web], seconds=5)
        # Last: from here on this process has threads.
        self.facts = Facts(self.database_url)
        self.ends.callback(self.facts.connection.close)
        self.mails.start()
        self.ends.callback(self.mails.stop)
        self.watchers = Watchers(self.url)
        self.ends.callback(self.watchers.stop)
        return self

    def _start_web(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "messaging.daphne", "--bind", "127.0.0.1"]
        with (self.directory / "web.log").open("ab") as log:
            web = start_child(
                [*command, "--port", str(self.port), "marketplace.asgi:application"],
                environment=self.environment,
                directory=PROJECT,
                output=log,
            )
        serving = partial(is_serving, self.port)
        wait_until(serving, seconds=30, what="the web process (see web.log)", child=web)
        return web

    def stop(self) -> None:
        """What was started, in the opposite order."""
        self.ends.close()

    def make_scene(self, name: str) -> dict[str, Any]:
        """Nobody is owed a mail about how it began."""
        (scene,) = self.nursery.get("make_scenes", names=[name])
        self.forget_what_is_due()
        return scene

    def forget_what_is_due(self) -> None:
        self.facts.change("UPDATE messaging_participant SET notify_at = NULL, notify_by = NULL")


@contextmanager
def set_stage(directory: Path, database_url: str) -> Iterator[Stage]:
    """Call it in the main thread: what a thread starts dies with the thread."""
    stage = Stage(directory, database_url)
    try:
        yield stage.start()
    finally:
        stage.stop()
