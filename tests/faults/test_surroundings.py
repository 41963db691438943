"""The mail server, the clocks and the disk of a campaign fail as they say, and only then."""

import os
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from marketplace.development.children import start_child, stop_children, wait_until
from tests.faults.servers import clocks, disk, mails
from tests.faults.servers.clocks import Clocks
from tests.faults.servers.disk import SmallDisk
from tests.faults.servers.mails import FaultyMailSink
from tests.faults.servers.processes import Pause
from tests.services.places import is_running

pytestmark = pytest.mark.processes

TELL_TIME = (
    "import time\nwhile True: print(time.time(), time.monotonic(), flush=True); time.sleep(.2)"
)


@pytest.fixture
def sink() -> Iterator[FaultyMailSink]:
    running = FaultyMailSink(seed=1)
    running.start()
    yield running
    running.stop()


def send_one(sink: FaultyMailSink, subject: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", subject
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=1) as connection:
        connection.send_message(message)


TOLD = {"refused for now": [(451, False)], "refused": [(550, True)]}


@pytest.mark.parametrize(
    ("fault", "error", "kept"),
    [
        ("refused for now", smtplib.SMTPDataError, False),
        ("refused", smtplib.SMTPDataError, False),
        ("hung", smtplib.SMTPServerDisconnected, False),
        ("hung after taking", smtplib.SMTPServerDisconnected, True),
        ("closed", smtplib.SMTPServerDisconnected, True),
        ("dripped", None, True),
    ],
)
def test_a_mail_meets_its_fault(
    sink: FaultyMailSink,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    error: type[Exception] | None,
    kept: bool,
) -> None:
    monkeypatch.setattr(mails, "HANG_SECONDS", 2)
    monkeypatch.setattr(mails, "DRIP_SECONDS", 0.05)
    send_one(sink, "control")
    sink.faults, sink.share = (fault,), 1.0
    if error is None:
        send_one(sink, "hurt")
    else:
        with pytest.raises(error):
            send_one(sink, "hurt")
    sink.heal()
    send_one(sink, "afterwards")
    subjects = [str(mail.message["Subject"]) for mail in sink.kept]
    assert subjects == ["control", *(["hurt"] if kept else []), "afterwards"]
    assert sink.counts[fault] == 1
    # Who hung up did not hear it.
    told = [(each.code, each.permanent) for each in sink.refusals if fault != "hung"]
    assert told == TOLD.get(fault, [])


def test_a_share_of_the_mails_is_hurt(sink: FaultyMailSink) -> None:
    sink.faults, sink.share = ("refused",), 0.5
    refused = 0
    for number in range(40):
        try:
            send_one(sink, str(number))
        except smtplib.SMTPDataError:
            refused += 1
    assert 5 < refused < 35
    assert len(sink.kept) == 40 - refused
    assert [mail.at for mail in sink.kept] == sorted(mail.at for mail in sink.kept)


def test_a_clock_jumps_in_one_process_only(tmp_path: Path) -> None:
    wrong = Clocks(tmp_path)
    if wrong.library is None:
        pytest.skip(clocks.WHY_NOT)
    environment = wrong.environment("web1")
    wrong.set("web1", 3600)
    with subprocess.Popen(
        [sys.executable, "-c", TELL_TIME], env=environment, stdout=subprocess.PIPE, text=True
    ) as teller:
        assert teller.stdout is not None
        assert 3590 < ahead(teller.stdout.readline()) < 3610
        assert wrong.reach(teller.pid)
        assert not wrong.reach(os.getpid())
        wrong.set("web1", -3600)
        while ahead(teller.stdout.readline()) > 0:
            pass
        wrong.heal()
        while ahead(teller.stdout.readline()) < -10:
            pass
        teller.kill()


def ahead(line: str) -> float:
    """By how much the clock is; what measures durations is never wrong."""
    at, monotonic = (float(number) for number in line.split())
    assert abs(monotonic - time.monotonic()) < 60
    return at - time.time()


def test_a_full_disk_has_room_again(tmp_path: Path) -> None:
    small = SmallDisk(tmp_path / "disk")
    if not small.start():
        pytest.skip(disk.WHY_NOT)
    try:
        assert write(small, "control")
        small.fill()
        assert not write(small, "full")
        small.heal()
        assert write(small, "again")
        assert not list(small.directory.iterdir())  # Nobody else sees it.
    finally:
        small.stop()


def write(small: SmallDisk, name: str) -> bool:
    command = ["dd", "if=/dev/zero", f"of={small.directory}/{name}", "bs=100k", "count=1"]
    return subprocess.run([*small.enter(), *command], capture_output=True).returncode == 0


def test_what_is_stopped_is_woken_up_when_whoever_stopped_it_dies(tmp_path: Path) -> None:
    sleeper = start_child(["sleep", "60"], environment={}, directory=tmp_path, output=-3)
    code = f"from tests.faults.servers.processes import Pause; Pause({sleeper.pid})"
    code += "; print(1, flush=True); import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as stopper:
        assert stopper.stdout is not None
        stopper.stdout.readline()
        until_state(sleeper.pid, "T")
        stopper.kill()
    until_state(sleeper.pid, "S")
    pause = Pause(sleeper.pid)
    until_state(sleeper.pid, "T")
    pause.end()
    until_state(sleeper.pid, "S")
    stop_children([sleeper], seconds=1)
    assert not is_running(sleeper.pid)


def until_state(pid: int, state: str) -> None:
    """A signal is obeyed when its process has its turn."""
    wait_until(lambda: state_of(pid) == state, seconds=10, what=f"“{state}” of the sleeper")


def state_of(pid: int) -> str:
    """A letter as `ps` has it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
