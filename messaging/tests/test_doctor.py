"""The doctor's questions, one wrong thing at a time."""

import io
import json
import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import Settings

from messaging.doctor import caches, database, layer, redis_servers, rows, sanity
from messaging.doctor.clocks import judge_clock
from messaging.doctor.registry import Question, examine
from messaging.models import Conversation, Participant
from notifications import failpoints
from notifications.findings import FINE, UNKNOWN, doubtful, fine, wrong

PUBSUB = "messaging.redis_layer.RedisPubSubChannelLayer"
PLAIN_PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
CORE = "channels_redis.core.RedisChannelLayer"
ADDRESS = "redis://127.0.0.1:6379/0"


def say(ask: Callable[[], Iterable[CheckMessage]]) -> str:
    """What is wrong, each with something to do about it."""
    troubles = [finding for finding in ask() if finding.level > UNKNOWN]
    assert all(finding.hint for finding in troubles)
    return "\n".join(str(finding.msg) for finding in troubles)


def lay(settings: Settings, backend: str, **configuration: Any) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": configuration}}


def test_a_layer_as_it_should_be() -> None:
    assert say(layer.ask_layer) == ""


def test_a_layer_in_memory(settings: Settings) -> None:
    lay(settings, "channels.layers.InMemoryChannelLayer", capacity=1000)
    assert "in the memory of each process" in say(layer.ask_layer)


@pytest.mark.parametrize("host", [ADDRESS, {"address": ADDRESS, "socket_connect_timeout": 2}])
def test_the_read_timeout_of_redis_py(settings: Settings, host: Any) -> None:
    lay(settings, PUBSUB, hosts=[host])
    assert "redis-py 8 ends them after 5 seconds" in say(layer.ask_layer)


def test_a_read_timeout_that_is_too_short(settings: Settings) -> None:
    host = {"address": ADDRESS, "socket_timeout": 4, "socket_connect_timeout": 2}
    lay(settings, PUBSUB, hosts=[host])
    assert "end after 4 seconds of silence" in say(layer.ask_layer)


def test_a_read_timeout_in_the_url_is_one(settings: Settings) -> None:
    host = {"address": f"{ADDRESS}?socket_timeout=30", "socket_connect_timeout": 2}
    lay(settings, PUBSUB, hosts=[host])
    assert say(layer.ask_layer) == ""


def test_a_layer_that_can_stand_still(settings: Settings) -> None:
    host = {"address": ADDRESS, "socket_timeout": 15, "socket_connect_timeout": 2}
    lay(settings, PLAIN_PUBSUB, hosts=[host])
    assert "stand still for good" in say(layer.ask_layer)


def test_a_layer_with_short_queues(settings: Settings) -> None:
    host = {"address": ADDRESS, "socket_timeout": 15, "socket_connect_timeout": 2}
    lay(settings, CORE, hosts=[host])
    assert "drops events silently when 100 of them wait" in say(layer.ask_layer)


def test_a_cache_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    local = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    monkeypatch.setattr(caches, "settings", SimpleNamespace(CACHES={"default": local}))
    assert "belongs to each process alone" in say(caches.ask_cache)


@pytest.mark.parametrize(
    ("options", "words"), [({}, "no deadline"), ({"socket_timeout": 5}, "may wait 5 seconds")]
)
def test_a_cache_without_a_deadline(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, options: Any, words: str
) -> None:
    configured = {**settings.CACHES["default"], "OPTIONS": options}
    monkeypatch.setattr(caches, "settings", SimpleNamespace(CACHES={"default": configured}))
    assert words in say(caches.ask_cache)


@pytest.mark.parametrize(
    ("memory", "words"),
    [
        ({"maxmemory_policy": "noeviction", "maxmemory": 1}, ""),
        ({"maxmemory_policy": "allkeys-lru", "maxmemory": 1}, "(allkeys-lru), tasks too"),
        ({}, ""),
    ],
)
def test_a_broker_that_forgets(memory: dict[str, Any], words: str) -> None:
    assert words in say(lambda: [redis_servers._judge_policy(memory)])
    assert bool(words) is bool(say(lambda: [redis_servers._judge_policy(memory)]))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("redis+socket:///run/redis.sock?virtual_host=2", "unix:///run/redis.sock?db=2"),
        ("redis://:password@redis:6379/0", "redis://:password@redis:6379/0"),
        ("amqp://rabbit/", ""),
    ],
)
def test_where_the_broker_is(settings: Settings, written: str, read: str) -> None:
    settings.CELERY_BROKER_URL = written
    assert redis_servers.broker_url() == read


@pytest.mark.django_db
def test_this_database() -> None:
    assert say(database.ask_database) == ""
    assert say(database.ask_migrations) == ""
    assert say(database.ask_clock) == ""
    assert say(database.ask_search) == ""


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such indexes.")
@pytest.mark.django_db
def test_searches_without_their_indexes() -> None:
    """As where the extension could not be had when they were to be made."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX message_words")
    assert "no indexes" in say(database.ask_search)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_may_lose_what_it_confirmed() -> None:
    """Of this connection only."""
    if connection.vendor == "postgresql":
        loosen, mend, words = "SET synchronous_commit = off", "RESET synchronous_commit", "commit"
    else:
        loosen, mend, words = "PRAGMA synchronous=1", "PRAGMA synchronous=2", "synchronous=1"
    execute(loosen)
    try:
        assert words in say(database.ask_durability)
    finally:
        execute(mend)


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CONN_MAX_AGE", 60, "CONN_MAX_AGE"),
        ("ATOMIC_REQUESTS", True, "before they are stored"),
        ("AUTOCOMMIT", False, "never be committed"),
    ],
)
def test_settings_that_do_not_go_with_sockets(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: Any, words: str
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], name, value)
    assert words in say(database.ask_pool)


@pytest.mark.parametrize(
    ("skew", "level"), [(0.2, 20), (-1.5, 30), (30.0, 40)], ids=["fine", "doubtful", "wrong"]
)
def test_clocks(skew: float, level: int) -> None:
    assert judge_clock("Redis", skew).level == level


def test_somebody_who_should_have_been_told(conversation: Conversation) -> None:
    assert say(rows.ask_overdue) == ""
    late = timezone.now() - timedelta(minutes=6)
    Participant.objects.filter(conversation=conversation, role="seller").update(notify_at=late)
    assert "1 person should have been told" in say(rows.ask_overdue)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MESSAGING_ALLOWED_ORIGINS", [], "No origin is allowed"),
        ("MESSAGING_ALLOWED_ORIGINS", ["market.example"], "“market.example” is no origin"),
        ("MESSAGING_ALLOWED_ORIGINS", ["https://market.example/"], "is no origin"),
        ("MESSAGING_ALLOWED_ORIGINS", ["http://market.example"], "is not encrypted"),
        ("MESSAGING_HEARTBEAT_SECONDS", 27, "people count as gone after 60"),
        ("MESSAGING_NOTIFY_CAP_SECONDS", 10, "shorter than the wait"),
        ("MESSAGING_DRAIN_SECONDS", 0, "cuts off"),
        ("MESSAGING_SEND_LIMITS", [], "no limits on sending"),
    ],
)
def test_settings_that_are_hardly_meant(
    settings: Settings, name: str, value: Any, words: str
) -> None:
    assert say(sanity.ask_settings) == ""
    setattr(settings, name, value)
    assert words in say(sanity.ask_settings)


def test_a_failpoint_that_was_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "FAILPOINT" not in say(sanity.ask_settings)
    monkeypatch.setattr(failpoints, "ARMED", "bus.sent")
    assert "end themselves at “bus.sent”" in say(sanity.ask_settings)


def ask_never() -> Iterable[CheckMessage]:
    threading.Event().wait(30)
    return []


def ask_away() -> Iterable[CheckMessage]:
    raise OperationalError("could not connect to purple-canary")


def ask_broken() -> Iterable[CheckMessage]:
    raise ValueError("purple-canary")


def test_a_question_that_hangs_or_fails_is_a_finding() -> None:
    questions = [
        Question("hangs", "Hangs", ask_never),
        Question("away", "Away", ask_away),
        Question("broken", "Broken", ask_broken),
        Question("fine", "Fine", lambda: [fine("All is well.")]),
    ]
    hangs, away, broken, well = examine(questions, seconds=0.5)
    assert "no answer within" in hangs.findings[0].msg
    assert away.level == broken.level == UNKNOWN
    assert "ValueError" in broken.findings[0].msg
    assert "purple-canary" not in f"{away.findings} {broken.findings}"
    assert well.level == FINE


@pytest.mark.parametrize(
    ("findings", "status", "words"),
    [
        ([fine("Well.")], 0, "Nothing is wrong."),
        ([fine("Well."), doubtful("Hm.", "Do this.")], 1, "some of it should be better"),
        ([wrong("Ouch.", "Do that."), doubtful("Hm.", "Do this.")], 2, "does not work"),
    ],
)
def test_the_command_tells_people_and_machines(
    monkeypatch: pytest.MonkeyPatch, findings: list[CheckMessage], status: int, words: str
) -> None:
    questions = [Question("some", "Some thing", lambda: findings)]
    module = "messaging.management.commands.messaging_doctor.all_questions"
    monkeypatch.setattr(module, lambda web_processes: questions)
    assert words in run(status)
    told = json.loads(run(status, "--json"))
    assert told["status"] == status
    assert told["findings"][-1]["question"] == "some"


def run(status: int, *arguments: str) -> str:
    output = io.StringIO()
    ends = pytest.raises(SystemExit) if status else nullcontext()
    with ends as end:
        call_command("messaging_doctor", *arguments, stdout=output)
    assert not status or (end and end.value.code == status)
    return output.getvalue()
