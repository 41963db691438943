"""Hundreds who come in the same moment, as after a restart, while the server is busy."""

import errno
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.live import Live

pytestmark = pytest.mark.processes

KNOCKING = 400
SECONDS = 5.0


@contextmanager
def busy(number: int) -> Iterator[None]:
    """It takes nobody in."""
    os.kill(number, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(number, signal.SIGCONT)


def count_connected(port: int) -> int:
    """Of so many who knock at once, in the time that it takes to try only once."""
    with ExitStack() as opened:
        poll = select.poll()
        for _ in range(KNOCKING):
            knocking = opened.enter_context(socket.socket())
            knocking.setblocking(False)
            assert knocking.connect_ex(("127.0.0.1", port)) in (0, errno.EINPROGRESS)
            poll.register(knocking, select.POLLOUT)
        connected: set[int] = set()
        until = time.monotonic() + SECONDS
        while len(connected) < KNOCKING and time.monotonic() < until:
            connected.update(number for number, _ in poll.poll(100))
        return len(connected)


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_everybody_is_heard_the_first_time(live: Live, server: str) -> None:
    with live.served_by(server) as serving, busy(serving.processes["web"].pid):
        assert count_connected(serving.port) == KNOCKING
