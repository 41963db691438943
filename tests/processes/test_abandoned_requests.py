"""Whoever leaves before they are answered takes no connection to the database with them."""

import http.client
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from tests.live import Live
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

POOL = 2
LEAVES_AFTER = 0.5
# Each below `lock_timeout`, and together longer than an application may go on (in `DEFAULTS` of
# messaging/daphne.py): every page reads its session first and its person next.
HELD = {"django_session": 4.0, "accounts_user": 7.5}


@contextmanager
def held(live: Live, tables: dict[str, float]) -> Iterator[None]:
    """Nobody reads these tables for so many seconds."""
    began = time.monotonic()
    with ExitStack() as opened:
        holding = {
            table: opened.enter_context(psycopg.connect(live.environment["DATABASE_URL"]))
            for table in tables
        }
        for table, connection in holding.items():
            connection.execute(f"LOCK TABLE {table}".encode())
        yield
        for table, seconds in tables.items():
            time.sleep(max(0.0, began + seconds - time.monotonic()))
            holding[table].commit()


def ask(port: int, visitor: Visitor, seconds: float) -> int:
    """The status; 0 for who did not wait for it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        host = f"localhost:{visitor.live.port}"
        headers = {"Cookie": visitor.cookie_header, "Host": host}
        connection.request("GET", "/conversations/", headers=headers)
        return connection.getresponse().status
    except TimeoutError:
        return 0
    finally:
        connection.close()


def test_who_leaves_takes_no_connection_along(live: Live) -> None:
    teo = Visitor(live, "teo@example.com")
    with live.another_web(DATABASE_POOL_SIZE=str(POOL)) as port:
        assert ask(port, teo, 20) == 200
        with held(live, HELD):
            for _ in range(POOL):
                assert ask(port, teo, LEAVES_AFTER) == 0
        for _ in range(POOL + 1):
            assert ask(port, teo, 20) == 200
