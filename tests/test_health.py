"""Health as whatever runs the processes sees it."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from marketplace import health

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_unanswered() -> None:
    health.unanswered.clear()


def ask(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/health/ready/")
    return answer.status_code, answer.json()


def test_a_process_that_answers_lives(client: Client) -> None:
    answer = client.get("/health/live/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_ready_names_every_part(client: Client) -> None:
    names = ("status", "database", "layer", "cache", "broker")
    assert ask(client) == (200, dict.fromkeys(names, "ok"))


def test_without_the_database_it_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OperationalError("password=secret host=db.internal")

    monkeypatch.setitem(health.CHECKS, "database", refuse)
    status, states = ask(client)
    assert (status, states["status"], states["database"]) == (503, "unavailable", "down")
    assert "secret" not in str(states)


def test_without_redis_it_is_ready_and_says_what_is_down(
    client: Client, settings: Settings
) -> None:
    nowhere = "redis://127.0.0.1:1"
    settings.CHANNEL_LAYERS = {"default": {"CONFIG": {"hosts": [{"address": nowhere}]}}}
    status, states = ask(client)
    assert (status, states["layer"], states["database"]) == (200, "down", "ok")


HANGS_SECONDS = 20


def test_a_part_that_hangs_is_slow_and_asked_only_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, asked = threading.Event(), []

    def hang() -> None:
        asked.append("asked")
        answered.wait(HANGS_SECONDS)

    monkeypatch.setitem(health.CHECKS, "layer", hang)
    began = time.monotonic()
    try:
        states = [ask(client)[1]["layer"] for _ in range(2)]
    finally:
        answered.set()
    assert states == ["slow", "slow"]
    assert asked == ["asked"]
    assert time.monotonic() - began < HANGS_SECONDS  # Neither waited for it to answer.


def test_in_development_it_waits_for_the_worker(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.DEBUG = True
    file = tmp_path / "worker-ready"
    monkeypatch.setenv("WORKER_READY_FILE", str(file))
    assert ask(client)[0] == 503
    file.touch()
    assert ask(client) == (200, ask(client)[1] | {"worker": "ok"})
