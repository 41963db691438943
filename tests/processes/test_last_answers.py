"""A proxy keeps its connections. A process that ends takes no further page over them."""

import http.client
import socket
import threading

import pytest

from marketplace.development.children import wait_until
from tests.live import Live
from tests.processes.test_abandoned_requests import ask, held
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

HELD_SECONDS = 3.0  # Of a page that keeps the process from ending.
QUESTION = b"GET /health/live/ HTTP/1.1\r\nHost: localhost:%d\r\n\r\n"


def is_last(kept: socket.socket, port: int) -> bool:
    """Whether the answer to another request says that it is the last one here."""
    kept.sendall(QUESTION % port)
    answer = http.client.HTTPResponse(kept)
    answer.begin()
    assert answer.status == 200
    answer.read()
    return answer.getheader("Connection") == "close"


def test_the_next_answer_on_a_connection_is_its_last(live: Live) -> None:
    teo = Visitor(live, "teo@example.com")
    statuses: list[int] = []
    with live.another_web(DRAIN_SECONDS="8") as port:
        web = live.processes["another web"]
        with (
            held(live, {"django_session": HELD_SECONDS}),
            socket.create_connection(("127.0.0.1", port), timeout=5) as kept,
        ):
            page = threading.Thread(target=lambda: statuses.append(ask(port, teo, 20)))
            page.start()
            assert [is_last(kept, live.port) for _ in range(2)] == [False, False]
            web.terminate()
            wait_until(lambda: is_last(kept, live.port), seconds=2, what="the last answer")
            assert kept.recv(1) == b""
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=2)
        page.join()
        assert statuses == [200]  # What it had taken it finished.
        assert web.wait(8) == 0
