"""Nothing waits for ever: every deadline is set, and the table in docs/operations.md says it."""

import inspect
import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from allauth.socialaccount import app_settings as social_settings
from daphne.server import Server
from django.conf import settings
from twisted.web.http import HTTPFactory

import celery_app
from marketplace import database_deadlines, redis_urls
from messaging import bus, daphne, hub
from tests.services import services
from tests.services.places import PROJECT

PAGE = (PROJECT / "docs" / "operations.md").read_text()
ROW = re.compile(r"^\| ([^|]+) \| ([\d,.]+)(?: s)? \|", re.MULTILINE)
LAYER = redis_urls.channel_layers("redis://127.0.0.1")["default"]["CONFIG"]["hosts"][0]
CACHE = redis_urls.caches("redis://127.0.0.1")["default"]["OPTIONS"]
# What a web process has, whatever this test run itself uses.
READ_DATABASE = """
import json, django
django.setup()
from django.conf import settings
options = settings.DATABASES["default"]["OPTIONS"]
pool = options.get("pool", {})
kind = pool.pop("connection_class", None)
print(json.dumps({**options, "answer_seconds": getattr(kind, "answer_seconds", None)}))
"""


def read_database_options(url: str, **environment: str) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-c", READ_DATABASE],
        cwd=PROJECT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "DATABASE_URL": url,
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.fixture(scope="module")
def deadlines() -> dict[str, Any]:
    """Every row of the table, with what the code says."""
    postgresql = read_database_options("postgres://nobody@127.0.0.1/nothing")
    server = dict(re.findall(r"(\w+)=(\d+)s", postgresql["options"]))
    defaults = celery_app.default_configuration()
    # Daphne's own, and ours in front of them.
    web = {
        name: parameter.default
        for name, parameter in inspect.signature(Server.__init__).parameters.items()
    } | daphne.DEFAULTS
    idle = inspect.signature(HTTPFactory.__init__).parameters["timeout"].default
    return {
        "PostgreSQL: connecting": postgresql["connect_timeout"],
        "PostgreSQL: waiting for a connection of the pool": postgresql["pool"]["timeout"],
        "PostgreSQL: connections of one process": postgresql["pool"]["max_size"],
        "PostgreSQL: one statement": server["statement_timeout"],
        "PostgreSQL: an answer that the server": postgresql["answer_seconds"],
        "PostgreSQL: whether a connection": database_deadlines.CHECK_SECONDS,
        "PostgreSQL: waiting for a lock": server["lock_timeout"],
        "PostgreSQL: idle": server["idle_in_transaction_session_timeout"],
        "PostgreSQL: packets": postgresql["tcp_user_timeout"] / 1000,
        "PostgreSQL: silence": postgresql["keepalives_idle"],
        "SQLite": read_database_options("sqlite:////tmp/nothing")["timeout"],
        "channel layer: connections": LAYER["max_connections"],
        "channel layer: connecting": LAYER["socket_connect_timeout"],
        "channel layer: reading": LAYER["socket_timeout"],
        "channel layer: publishing": bus.DEADLINE_SECONDS,
        "channel layer: a new socket": hub.SUBSCRIBE_SECONDS,
        "cache: connections": CACHE["max_connections"],
        "cache: connecting": CACHE["socket_connect_timeout"],
        "cache: each answer": CACHE["socket_timeout"],
        "broker: connections": defaults["broker_pool_limit"],
        "broker: connecting, to publish": celery_app.REDIS_PUBLISHING["socket_connect_timeout"],
        "broker: each answer, to publish": celery_app.REDIS_PUBLISHING["socket_timeout"],
        "broker: connecting, as a worker": celery_app.REDIS_CONSUMING["socket_connect_timeout"],
        "broker: silence, as a worker": celery_app.REDIS_CONSUMING["socket_timeout"],
        "worker: a task |": defaults["task_time_limit"],
        "worker: a task that was taken": celery_app.REDIS_CONSUMING["visibility_timeout"],
        "worker: finishing": defaults["worker_soft_shutdown_timeout"],
        "mail server": settings.EMAIL_TIMEOUT,
        "log-in at another site": social_settings.REQUESTS_TIMEOUT,
        "web: a handshake": web["websocket_connect_timeout"],
        "web: a socket that does not answer": web["ping_timeout"],
        "web: age of a socket": web["websocket_timeout"],
        "web: a request": web["http_timeout"],
        "web: a connection on which nothing comes": idle,
        "web: finishing": settings.MESSAGING_DRAIN_SECONDS,
    }


def read_table() -> dict[str, float]:
    section = PAGE.partition("## Deadlines and pools")[2].partition("\n## ")[0]
    return {f"{name} |": float(value.replace(",", "")) for name, value in ROW.findall(section)}


def test_the_table_says_what_the_code_does(deadlines: dict[str, Any]) -> None:
    table = read_table()
    assert len(table) == len(deadlines)
    for name, value in deadlines.items():
        [written] = [limit for row, limit in table.items() if row.startswith(name)]
        assert written == float(value), name


def test_none_is_unset(deadlines: dict[str, Any]) -> None:
    for name, value in deadlines.items():
        assert value is not None, name
        assert 0 < float(value) < 86_400, name


def test_every_time_limit_that_the_web_server_knows_is_in_the_table() -> None:
    known = {name for name in inspect.signature(Server.__init__).parameters if "timeout" in name}
    named = {"websocket_connect_timeout", "websocket_timeout", "ping_timeout", "http_timeout"}
    # Sooner than those: of the server's own handshake, and of an application that has been ended.
    assert known - named == {"websocket_handshake_timeout", "application_close_timeout"}


def test_commands_have_no_limit_on_statements() -> None:
    options = read_database_options(
        "postgres://nobody@127.0.0.1/nothing", DATABASE_STATEMENT_SECONDS="0"
    )
    assert "statement_timeout=0s" in options["options"]
    assert options["answer_seconds"] is None


STOP_THE_BACKEND = """
import os, signal, django
django.setup()
from django.db import OperationalError, connection
with connection.cursor() as cursor:
    cursor.execute("SELECT pg_backend_pid()")
    backend = cursor.fetchone()[0]
os.kill(backend, signal.SIGSTOP)
try:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    print("answered")
except OperationalError as error:
    print(error)
finally:
    os.kill(backend, signal.SIGCONT)
connection.close()
with connection.cursor() as cursor:
    cursor.execute("SELECT 2")
    print(cursor.fetchone()[0])
"""


@pytest.mark.processes
def test_a_database_that_has_stopped_is_not_waited_for() -> None:
    """It takes what it is sent and says nothing: no limit of the server's own can help."""
    if services.postgres is None:
        pytest.skip("DATABASE_URL names a server that is not ours to stop.")
    ran = subprocess.run(
        [sys.executable, "-c", STOP_THE_BACKEND],
        cwd=PROJECT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "DATABASE_STATEMENT_SECONDS": str(3 - database_deadlines.GRACE_SECONDS),
        },
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ran.stdout.splitlines() == ["the database does not answer", "2"], ran.stderr


STOP_A_BACKEND_AT_REST = """
import os, signal, time, django
from contextlib import suppress
django.setup()
from django.db import OperationalError, connection
connection.pool.open(wait=True)  # Else there may be a second one, which was asked for meanwhile.
with connection.cursor() as cursor:
    cursor.execute("SELECT pg_backend_pid()")
    backend = cursor.fetchone()[0]
connection.close()
os.kill(backend, signal.SIGSTOP)
began = time.monotonic()
with suppress(OperationalError):  # Another may be there just in time.
    connection.ensure_connection()
print(time.monotonic() - began)
os.kill(backend, signal.SIGCONT)
with connection.cursor() as cursor:
    cursor.execute("SELECT 2")
    print(cursor.fetchone()[0])
"""


@pytest.mark.processes
def test_a_connection_at_rest_is_not_waited_for_as_long_as_an_answer() -> None:
    if services.postgres is None:
        pytest.skip("DATABASE_URL names a server that is not ours to stop.")
    ran = subprocess.run(
        [sys.executable, "-c", STOP_A_BACKEND_AT_REST],
        cwd=PROJECT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "marketplace.settings"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    seconds, after = ran.stdout.split()
    assert after == "2", ran.stderr
    assert database_deadlines.CHECK_SECONDS <= float(seconds) < 2 * database_deadlines.CHECK_SECONDS
