"""What Python's collector of garbage looks through in a web process."""

import http.client
import json
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes.own_application import serve

pytestmark = pytest.mark.processes

APPLICATION = """
import gc
import json

from marketplace.asgi import application as pages

async def application(scope, receive, send):
    if scope.get("path") != "/garbage/":
        return await pages(scope, receive, send)
    state = {"on": gc.isenabled(), "left_alone": gc.get_freeze_count()}
    state["looked_through"] = len(gc.get_objects())
    state["begins_after"] = gc.get_threshold()[0]
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(state).encode()})
"""


def ask(port: int, path: str = "/garbage/") -> dict[str, int]:
    """Nothing while nobody answers."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", path)
            answer: dict[str, int] = json.loads(connection.getresponse().read())
        except OSError:
            return {}
        return answer


def test_the_program_is_not_looked_through(tmp_path: Path) -> None:
    with serve(APPLICATION, tmp_path, is_there=lambda port: bool(ask(port))) as port:
        assert ask(port, "/health/live/")  # Brings in all that pages need.
        found = ask(port)
    assert found["on"]
    assert found["begins_after"] > 10_000  # Of what a few batches of messages make and delete.
    assert found["left_alone"] > 100_000
    assert found["looked_through"] < found["left_alone"] / 10
