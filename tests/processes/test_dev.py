import os
import signal
import socket
import time

import pytest

from tests.processes.conftest import SECONDS_TO_END, Dev

pytestmark = pytest.mark.processes

EVERYTHING = {"dev", "valkey-server", "web", "worker", "beat"}


def test_everybody_gets_all_of_it_from_one_command(dev_at_rest: Dev) -> None:
    dev = dev_at_rest.start()
    assert dev.status("/") == 200
    assert dev.status("/development/mail/") == 200
    status, output = dev.end()
    assert status == 0
    for line in (f"http://localhost:{dev.port}/", "sol@example.com", "trato-demo"):
        assert line in output
    assert f"http://localhost:{dev.port}/development/mail/" in output
    assert "Traceback" not in output


def test_a_port_in_use_is_one_clear_line(dev_at_rest: Dev) -> None:
    dev = dev_at_rest
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


def test_killed_it_leaves_nothing_and_the_next_start_prepares_nothing(dev: Dev) -> None:
    dev.start()
    wait_for_everything(dev)
    dev.end(signal.SIGKILL)
    # What it could not tidy up is in nobody's way.
    assert (dev.directory / "var" / "run" / "valkey.sock").exists()
    assert (dev.directory / "var" / "run" / "worker-ready").exists()
    status, output = dev.start().end()
    assert status == 0
    assert "Preparing" not in output


def test_the_secret_key_is_private(dev: Dev) -> None:
    dev.start()
    assert (dev.directory / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_second_one_in_the_same_folder_says_so(dev: Dev) -> None:
    dev.start()
    second = Dev(dev.directory)
    output, _ = second.launch().communicate(timeout=30)
    assert output.splitlines() == ["bin/dev is already running in this folder."]
    assert dev.status("/health/live/") == 200


def test_a_killed_child_comes_back_and_one_ctrl_c_ends_all(dev: Dev) -> None:
    """One child after the other, and nothing else ends with it."""
    dev.start()
    children = ("web", "worker", "valkey-server", "beat")
    for name in children:
        before = wait_for_everything(dev)
        killed = before.pop(name)
        os.kill(killed, signal.SIGKILL)
        after = wait_for_everything(dev, without=killed)
        dev.wait_until_ready()
        after.pop(name)
        assert before == after
    assert dev.process is not None
    began = time.monotonic()
    os.killpg(dev.process.pid, signal.SIGINT)  # As a terminal does: to the whole group.
    output = dev.end()[1]
    assert time.monotonic() - began < SECONDS_TO_END
    for name in children:
        shown = name.removesuffix("-server")
        assert f"{shown} ended (killed by SIGKILL). Starting it again." in output


def wait_for_everything(dev: Dev, *, without: int = 0) -> dict[str, int]:
    """Roles and numbers, once all are there; `without` a process that was killed."""
    deadline = time.monotonic() + 30
    while True:
        members = dev.members()
        if set(members) == EVERYTHING and without not in members.values():
            return members
        assert time.monotonic() < deadline, members
        time.sleep(0.05)
