"""What ends by itself is a crash, whoever looks first; what was made to die is none."""

import subprocess
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from notifications.failpoints import KILLED
from tests.faults.history import History
from tests.faults.nemeses import failpoints, killing
from tests.faults.nemeses.field import Field
from tests.faults.servers.members import Members

NAME = "web1"


class Made(Members):
    """Of processes that do nothing, and come back at once."""

    database: Any = None

    @property
    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        return dict(self.children)

    async def come_back(self, name: str, **environment: str) -> float:
        self.note_crash(name)
        self.start("sleep 60")
        return 0.5

    def start(self, command: str) -> None:
        self.children[NAME] = subprocess.Popen(["sh", "-c", f"exec {command}"])
        self.started = [*getattr(self, "started", ()), self.children[NAME]]

    def start_ended(self, status: int) -> None:
        self.start(f"sh -c 'exit {status}'")
        self.children[NAME].wait()


@pytest.fixture
def members(tmp_path: Path) -> Any:
    made = Made(tmp_path, 1, application="", celery="")
    yield made
    for process in made.started:
        process.kill()
        process.wait()


def make_field(members: Made, directory: Path, seconds: float = 5.0) -> Field:
    until, stack = time.monotonic() + seconds, members
    return Field(1, stack, Random(1), until, History(directory / "history.jsonl"))  # type: ignore[arg-type]


async def test_who_is_asked_to_end_may_have_crashed_before(members: Made) -> None:
    members.start("sleep 60")
    assert await members.restart(NAME)
    assert members.crashes == []
    members.start_ended(3)
    await members.restart(NAME)
    assert members.crashes == [f"{NAME} ended with status 3"]


@pytest.mark.parametrize(("status", "in_time"), [(None, True), (1, None)])
async def test_who_had_crashed_did_not_end_in_time(
    members: Made, tmp_path: Path, status: int | None, in_time: bool | None
) -> None:
    if status is None:
        members.start("sleep 60")
    else:
        members.start_ended(status)
    field = make_field(members, tmp_path)
    field.busy.add("web2")
    await killing.roll_webs(field)
    field.history.close()
    told = [line for line in field.history.path.read_text().splitlines() if '"ok"' in line]
    assert ('"in_time": true' in told[0]) is bool(in_time)
    assert '"back": 0.5' in told[0]
    assert members.crashes == ([] if status is None else [f"{NAME} ended with status 1"])


@pytest.mark.parametrize(
    ("status", "reached"), [(KILLED, True), (1, False), (0, False), (None, False)]
)
async def test_only_its_own_status_is_a_failpoints_death(
    members: Made, tmp_path: Path, status: int | None, reached: bool
) -> None:
    if status is None:
        members.start("sleep 60")
    else:
        members.start_ended(status)
    field = make_field(members, tmp_path, seconds=0.2)
    assert await failpoints.is_reached(field, NAME) is reached
    assert await failpoints.start_as_usual(field, NAME) == 0.5
    field.history.close()
    assert members.kills == ({"web": 1} if reached else {})
    is_crash = status is not None and not reached
    assert members.crashes == ([f"{NAME} ended with status {status}"] if is_crash else [])
