import os
import signal
import socket
import time

import pytest

from tests.processes.conftest import SECONDS_TO_END, Dev

pytestmark = pytest.mark.processes

EVERYTHING = {"dev", "valkey-server", "web", "worker", "beat"}


def test_everybody_gets_all_of_it_from_one_command(dev: Dev) -> None:
    dev.start()
    dev.wait_until_ready()
    assert dev.status("/") == 200
    assert dev.status("/development/mail/") == 200
    status, output = dev.end()
    assert status == 0
    for line in (f"http://localhost:{dev.port}/", "sol@example.com", "trato-demo"):
        assert line in output
    assert f"http://localhost:{dev.port}/development/mail/" in output
    assert "Traceback" not in output


def test_a_second_start_prepares_nothing(dev: Dev) -> None:
    dev.start().end()
    _, output = dev.start().end()
    assert "Preparing" not in output


def test_one_ctrl_c_ends_all_of_it(dev: Dev) -> None:
    dev.start()
    wait_for_everything(dev)
    assert dev.process is not None
    began = time.monotonic()
    os.killpg(dev.process.pid, signal.SIGINT)  # As a terminal does: to the whole group.
    dev.end()
    assert time.monotonic() - began < SECONDS_TO_END


def test_killed_it_leaves_nothing_and_starts_again_at_once(dev: Dev) -> None:
    dev.start()
    wait_for_everything(dev)
    dev.end(signal.SIGKILL)
    # What it could not tidy up is in nobody's way.
    assert (dev.directory / "var" / "run" / "valkey.sock").exists()
    assert (dev.directory / "var" / "run" / "worker-ready").exists()
    dev.start()
    assert dev.end()[0] == 0


@pytest.mark.parametrize("name", ["web", "worker", "valkey-server", "beat"])
def test_a_killed_child_comes_back(dev: Dev, name: str) -> None:
    dev.start()
    before = wait_for_everything(dev)
    os.kill(before[name], signal.SIGKILL)
    after = wait_for_everything(dev, without=before[name])
    dev.wait_until_ready()
    assert {key: pid for key, pid in before.items() if key != name} == {
        key: pid for key, pid in after.items() if key != name
    }
    shown = name.removesuffix("-server")
    assert f"{shown} ended (killed by SIGKILL). Starting it again." in dev.end()[1]


def test_a_port_in_use_is_one_clear_line(dev: Dev) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", dev.port))
        other.listen()
        output, _ = dev.launch().communicate(timeout=30)
    assert dev.process is not None
    assert dev.process.returncode == 1
    assert output.splitlines() == [
        f"Port {dev.port} on 127.0.0.1 is in use. Choose another one with --port."
    ]
    assert dev.members() == {}


def test_a_second_one_in_the_same_folder_says_so(dev: Dev) -> None:
    dev.start()
    second = Dev(dev.directory)
    output, _ = second.launch().communicate(timeout=30)
    assert output.splitlines() == ["bin/dev is already running in this folder."]
    assert dev.status("/health/live/") == 200


def test_the_secret_key_is_private(dev: Dev) -> None:
    dev.start()
    assert (dev.directory / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def wait_for_everything(dev: Dev, *, without: int = 0) -> dict[str, int]:
    """Roles and numbers, once all are there; `without` a process that was killed."""
    deadline = time.monotonic() + 30
    while True:
        members = dev.members()
        if set(members) == EVERYTHING and without not in members.values():
            return members
        assert time.monotonic() < deadline, members
        time.sleep(0.05)
