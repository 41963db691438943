"""A worker whose Redis is killed while it holds a task goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from kombu.transport import redis

import celery_app
from marketplace.redis_urls import broker_url
from tests.services.redis import RedisServer, find_binary


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    running = RedisServer(tmp_path / "redis", find_binary()).start()
    yield running
    running.stop()


def hold_a_task(server: RedisServer) -> Connection:
    connection = Connection(broker_url(server.url))
    queue = connection.SimpleQueue("tasks")
    queue.put("something to do")
    assert queue.get(timeout=5).payload == "something to do"
    return connection


def lose(connection: Connection, server: RedisServer) -> None:
    """As a worker notices it: its transport is half taken apart already when it closes the line."""
    server.kill()
    connection.transport.client = None
    connection.close()


def test_what_cannot_be_given_back_raises_nothing(server: RedisServer) -> None:
    lose(hold_a_task(server), server)


@pytest.mark.parametrize("letting_go", ["ack", "reject", "requeue"])
def test_what_is_done_after_its_line_broke_raises_nothing(
    server: RedisServer, letting_go: str
) -> None:
    """It was in hand when the line broke: its channel is closed, and another one is open."""
    connection = Connection(broker_url(server.url))
    queue = connection.SimpleQueue("tasks")
    queue.put("something to do")
    message = queue.get(timeout=5)
    lose(connection, server)
    getattr(message, letting_go)()
    assert message.acknowledged


def test_without_it_the_worker_would_end(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis.Channel, "QoS", celery_app.HeldTasks.__base__)
    with pytest.raises(AttributeError):
        lose(hold_a_task(server), server)
