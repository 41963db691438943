"""A long answer waits for its reader, and the process does not keep it in memory meanwhile."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from marketplace.development.children import wait_until
from tests.processes.own_application import serve

pytestmark = pytest.mark.processes

MEGABYTE = 1024 * 1024
LONG = 200 * MEGABYTE
PAGE = """
from marketplace.asgi import application as pages

sent = 0

async def application(scope, receive, send):
    global sent
    if scope.get("path") not in ("/long/", "/sent/"):
        return await pages(scope, receive, send)
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(BLOCKS if scope["path"] == "/long/" else 0):
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        sent += 65536
    said = str(sent).encode() if scope["path"] == "/sent/" else b""
    await send({"type": "http.response.body", "body": said})
""".replace("BLOCKS", str(LONG // 65536))


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with serve(PAGE, tmp_path, is_there=lambda port: count_sent(port) == 0) as found:
        yield found


def count_sent(port: int) -> int:
    """Bytes that the application has handed over; -1 while nobody answers."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/sent/")
            return int(connection.getresponse().read())
        except OSError:
            return -1


def stands_still(port: int) -> bool:
    """It may pause for moments before the reader's own buffers are full."""
    before = count_sent(port)
    time.sleep(1)
    return count_sent(port) == before > 0


def test_what_a_reader_does_not_fetch_is_not_made(port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as reader:
        reader.sendall(b"GET /long/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = len(reader.recv(65536))
        wait_until(lambda: stands_still(port), seconds=20, what="an answer that waits")
        assert 0 < count_sent(port) < LONG / 4  # Far from its end.
        while chunk := reader.recv(MEGABYTE):
            got += len(chunk)
    assert got >= LONG
    assert count_sent(port) == LONG
