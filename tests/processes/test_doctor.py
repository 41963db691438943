"""`manage.py messaging_doctor` on a whole marketplace: healthy, and with parts of it broken."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live import Live
from tests.services.places import PROJECT
from tests.services.ports import find_free_port

pytestmark = pytest.mark.processes

LONGEST_SECONDS = 60  # The doctor takes 8 at most; its process has to start, too.
HEALTHY = {"SEND_LIMITS": "", "DEFAULT_FROM_EMAIL": "Trato <post@market-of-trato.invalid>"}
# The PostgreSQL of the tests is made for speed, and the address above is nobody's.
OF_THE_TESTS = {"durability", "mail_records"}


class Diagnosis:
    def __init__(self, status: int, findings: list[dict[str, str]]) -> None:
        self.status = status
        self.findings = findings

    @property
    def troubles(self) -> set[str]:
        return {f["question"] for f in self.findings if f["level"] in ("warning", "error")}

    def says(self, question: str, words: str) -> bool:
        """Among the findings of a question, with something to do about it."""
        return any(
            words in finding["sentence"] and finding["advice"]
            for finding in self.findings
            if finding["question"] == question and finding["level"] in ("warning", "error")
        )


def examine(live: Live, *arguments: str, **environment: str) -> Diagnosis:
    ran = run(live, "--json", *arguments, **environment)
    found: dict[str, Any] = json.loads(ran.stdout)
    assert found["status"] == ran.returncode, ran.stderr
    return Diagnosis(ran.returncode, found["findings"])


def run(live: Live, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "messaging_doctor", *arguments],
        cwd=PROJECT,
        env={**live.environment, **HEALTHY, **environment},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
    )


def wait_for_a_sweep(live: Live) -> None:
    """Beat and worker are up: something has run since everything was started."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not examine(live).troubles & {"beat", "worker", "bus"}:
            return
    raise AssertionError("beat and worker do not run")


def test_a_healthy_marketplace(live: Live) -> None:
    wait_for_a_sweep(live)
    diagnosis = examine(live, "--web-processes", "1")
    assert diagnosis.troubles == OF_THE_TESTS
    assert {f["level"] for f in diagnosis.findings} <= {"fine", "error", "warning", "unknown"}
    text = run(live).stdout
    assert "1 web process answers over the channel layer" in text
    assert "Something does not work: see above." in text  # fsync is off.


def test_a_lax_postgresql(live: Live) -> None:
    words = "may lose messages that people were told are stored: fsync"
    assert examine(live).says("durability", words)


def test_a_web_process_that_does_not_answer(live: Live) -> None:
    diagnosis = examine(live, "--web-processes", "2")
    assert diagnosis.says("bus", "1 web process of 2 answers")
    live.kill("web")
    assert examine(live).says("bus", "No web process answers")


def test_a_worker_that_is_away(live: Live) -> None:
    live.kill("worker")
    assert examine(live).says("worker", "No worker answers")


def test_a_beat_that_is_away(live: Live) -> None:
    live.kill("beat")
    live.kill("worker")  # What the beat has asked for already would still be done.
    live.manage("shell", "--no-imports", "-c", LONG_AGO)
    assert examine(live).says("beat", "The beat's task has last run")


LONG_AGO = """
from datetime import timedelta
from django.utils import timezone
from notifications.models import LastRun
LastRun.objects.update(at=timezone.now() - timedelta(minutes=5))
"""


def test_a_mail_server_that_is_away(live: Live) -> None:
    diagnosis = examine(live, EMAIL_URL=f"smtp://127.0.0.1:{find_free_port()}")
    assert diagnosis.says("mail_server", "takes no mails: ConnectionRefusedError")


def test_a_redis_that_is_away(live: Live) -> None:
    live.redis.stop()
    diagnosis = examine(live)
    assert diagnosis.says("bus", "cannot be reached from here")
    assert diagnosis.says("cache", "The cache does not answer")
    assert diagnosis.says("broker", "The broker does not answer")
    assert diagnosis.says("worker", "the broker does not answer")


@contextmanager
def stopped(process: subprocess.Popen[bytes] | None) -> Iterator[None]:
    """It takes connections and never answers."""
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    yield
    os.kill(process.pid, signal.SIGCONT)


def test_a_redis_that_hangs(live: Live) -> None:
    with stopped(live.redis.process):
        diagnosis = examine(live)
    assert {"bus", "cache", "broker"} <= diagnosis.troubles


def test_a_database_that_is_away(live: Live, tmp_path: Path) -> None:
    away = f"postgres://postgres@{str(tmp_path).replace('/', '%2F')}/trato"
    diagnosis = examine(live, DATABASE_URL=away)
    assert diagnosis.says("database", "The database does not answer")


def test_tables_of_an_earlier_release(live: Live) -> None:
    live.manage("migrate", "notifications", "0001", "--verbosity", "0")
    try:
        diagnosis = examine(live)
        assert diagnosis.says("migrations", "notifications.0002")
    finally:
        live.manage("migrate", "--verbosity", "0")


def test_static_files_that_were_not_collected(live: Live, tmp_path: Path) -> None:
    assert examine(live, DATA_DIR=str(tmp_path)).says("static_files", "are not collected")


def test_a_pool_that_postgresql_has_no_room_for(live: Live) -> None:
    words = "Each process takes up to 90 database connections"
    assert examine(live, DATABASE_POOL_SIZE="90").says("pool", words)


def test_deliveries_that_nobody_takes(live: Live) -> None:
    """A worker that took one died, beat and the other workers are away."""
    live.kill("worker")
    live.kill("beat")
    live.manage("shell", "--no-imports", "-c", STUCK)
    diagnosis = examine(live)
    assert diagnosis.says("deliveries", "1 delivery was taken by a worker that never came back")
    assert diagnosis.says("deliveries", "1 delivery has been due for minutes and nobody takes it")
    assert diagnosis.says("deliveries", "1 delivery was given up within a day")
    live.manage(
        "shell",
        "--no-imports",
        "-c",
        "from notifications.models import Notification;"
        " Notification.objects.filter(key='doctor').delete()",
    )


STUCK = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from notifications.models import Delivery, Notification
now = timezone.now()
for number, fields in enumerate([
    {"state": "claimed", "claimed_until": now - timedelta(minutes=8)},
    {"state": "pending"},
    {"state": "failed"},
]):
    about = Notification.objects.create(
        recipient=User.objects.first(), kind="new_message", source="messaging", key="doctor",
        first_sequence=number + 1, last_sequence=number + 1,
    )
    Delivery.objects.create(notification=about, due_at=now - timedelta(minutes=10), **fields)
"""
