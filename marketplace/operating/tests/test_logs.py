"""What a line of the log holds, and what it never does."""

import json
import logging
import re
import smtplib
import timeit
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection

from accounts.models import User
from marketplace import logs, logs_redaction
from marketplace.logs import JsonFormatter, TextFormatter
from marketplace.logs_redaction import redact
from marketplace.operating.tests.lines import Lines
from messaging.log_context import connection_id, request_id

CANARY = "purple-canary-in-the-mine"


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.getLogger("tests.of.logs")
    logger.propagate = False
    logger.setLevel("DEBUG")
    yield logger
    logger.handlers.clear()


@pytest.fixture
def lines(log: logging.Logger) -> Lines:
    handler = Lines(JsonFormatter())
    log.addHandler(handler)
    return handler


def test_a_line_is_an_object_with_time_level_logger_and_ids(
    log: logging.Logger, lines: Lines
) -> None:
    request_id.set("0123456789")
    connection_id.set("c" * 32)
    log.warning("%d things", 3, extra={"details": {"user": 7}})
    request_id.set("")
    connection_id.set("")
    fields = lines.last
    assert fields.pop("time").endswith("Z")
    assert fields == {
        "level": "WARNING",
        "logger": "tests.of.logs",
        "message": "3 things",
        "request_id": "0123456789",
        "connection_id": "c" * 32,
        "user": 7,
    }


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()], ids=["json", "text"])
def test_nobody_writes_a_line_of_their_own(
    log: logging.Logger, formatter: logging.Formatter
) -> None:
    handler = Lines(formatter)
    log.addHandler(handler)
    log.info("path %s", "/a\nERROR forged\r\x1b[2J\u2028x", extra={"details": {"path": "b\nc"}})
    (line,) = handler.lines
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("to ana.lopez@example.com now", "to a***@example.com now"),
        ("to ana%40example.com", "to a***@example.com"),
        ("redis://:hunter2@cache:6379/0", "redis://***@cache:6379/0"),
        ("postgres://trato:hunter2@db/trato", "postgres://***@db/trato"),
        ("GET /conversations/?q=sideboard&x=1", "GET /conversations/?***"),
        ("password=hunter2 and more", "password=*** and more"),
        ("{'password': 'hunter2', 'x': 1}", "{'password': ***, 'x': 1}"),
        ("Authorization: Bearer abcdef", "Authorization: ***"),
        ("sessionid=abc; csrftoken=def", "sessionid=***; csrftoken=***"),
        (
            "/accounts/password/reset/key/4-cv9s5x-0e8b1c2d3f4a5b6c7d8e9f0a1b2c3d4e/",
            "/accounts/password/reset/key/***/",
        ),
        ("k3jx8q1mz0w5r7t9y2u4i6o8p0a1s3d5", "***"),
        (
            "/conversation/0191f3c0-7b7c-7d5e-9f3a-1b2c3d4e5f60/",
            "/conversation/0191f3c0-7b7c-7d5e-9f3a-1b2c3d4e5f60/",
        ),
        ("Task notifications.tasks.create_notifications", None),
        ("Listening on tcp:8000:interface=127.0.0.1", None),
    ],
)
def test_secrets_and_addresses_are_taken_out(written: str, kept: str | None) -> None:
    assert redact(written) == (written if kept is None else kept)


HOSTILE = {
    "slashes": "/" * 8000,
    "one long name": "/" + "a" * 8000,
    "digits": "/" + "1" * 8000,
    "underscores": "_" * 8000,
    "names of secrets": "password" * 1000,
    "names without values": "key " * 2000,
    "almost addresses": "/" + "a@" * 4000,
    "almost encoded addresses": "a%4" * 2700,
    "almost credentials": "://" * 2700,
    "blanks after a name": "key=" + " " * 8000,
    "questions": "/?" * 4000,
    "hyphens": "a-" * 4000,
}
BENIGN = "GET /listings/walnut-sideboard/ 200 "


@pytest.mark.parametrize("longest", [logs_redaction.LONGEST, 8000])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_costs_what_harmless_text_of_its_length_does(
    monkeypatch: pytest.MonkeyPatch, name: str, longest: int
) -> None:
    """It is read on the event loop. An expression that is quadratic costs hundreds of times more,
    also when it is asked to look at all of it."""
    monkeypatch.setattr(logs_redaction, "LONGEST", longest)
    hostile = HOSTILE[name][:longest]
    benign = (BENIGN * 400)[: len(hostile)]
    assert shortest_of_many(hostile) < 12 * shortest_of_many(benign)


def shortest_of_many(text: str) -> float:
    return min(timeit.repeat(lambda: redact(text), number=1, repeat=15))


def test_a_quadratic_expression_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control for the test above: the same expression, begun anew at each character."""
    quadratic = re.compile(r"(/[^\s?]*)\?[^\s]+")
    monkeypatch.setattr(logs_redaction, "QUERY", quadratic)
    monkeypatch.setattr(logs_redaction, "LONGEST", 8000)
    benign = (BENIGN * 400)[:8000]
    assert shortest_of_many(HOSTILE["slashes"]) > 12 * shortest_of_many(benign)


def test_no_more_of_a_path_is_kept_than_tells_the_page(log: logging.Logger, lines: Lines) -> None:
    log.info("request", extra={"details": {"path": "/conversation/" + "x/" * 4000}})
    log.info("request", extra={"details": {"path": "/" + "y" * 8000}})
    first, second = (json.loads(line)["path"] for line in lines.lines)
    assert first.startswith("/conversation/x/x/")
    assert len(first) <= logs_redaction.LONGEST_PATH + 1
    assert second == "/…"


def test_what_is_cut_off_leaves_no_half_of_a_secret() -> None:
    key = "4-cv9s5x-0e8b1c2d3f4a5b6c7d8e9f0a1b2c3d4e"
    for filler in range(1950, 2000):
        said = redact("x " * (filler // 2) + f"see /reset/{key}/ of ana.lopez@example.com")
        assert not any(part in said for part in ("4-cv", "ana."))


def test_large_and_deep_values_are_cut(log: logging.Logger, lines: Lines) -> None:
    endless: list[Any] = []
    endless.append(endless)
    details = {"many": list(range(100_000)), "deep": endless, "keys": {"k" * 9000: 1}}
    log.info("x", extra={"details": details})
    assert len(lines.lines[-1]) < 1000


def failing(error: Exception) -> BaseException:
    try:
        raise error
    except Exception as raised:
        return raised


def test_no_message_of_an_exception_is_kept(log: logging.Logger, lines: Lines) -> None:
    """However a library hands it to the log."""
    error = failing(ValueError(f"cannot read {CANARY}"))
    log.error("failed: %s", error)
    log.error("failed: %r", error)
    log.error(error)
    log.error("failed: %s", str(error), exc_info=error)
    try:
        raise RuntimeError("outer") from error
    except RuntimeError as outer:
        import traceback

        log.error(traceback.format_exc())
        log.exception("it said: %s", error.args[0])
        log.error("x", exc_info=outer)
    assert len(lines.lines) == 7
    assert CANARY not in "".join(lines.lines)
    assert "ValueError" in lines.last["traceback"]
    assert "RuntimeError" in lines.last["traceback"]
    assert "test_logs.py" in lines.last["traceback"]


def test_celerys_way_of_telling_of_a_failure(log: logging.Logger, lines: Lines) -> None:
    context = {"name": "a.task", "id": "1", "exc": f"ValueError('{CANARY}')", "args": CANARY}
    log.error("Task %(name)s[%(id)s] raised unexpected: %(exc)s %(args)s", context)
    assert lines.last["message"] == "Task a.task[1] raised unexpected: ValueError …"


@pytest.mark.django_db
def test_a_broken_rule_of_the_database_is_told_by_its_name(
    log: logging.Logger, lines: Lines, buyer: User
) -> None:
    with pytest.raises(IntegrityError) as caught, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_user SELECT * FROM accounts_user WHERE email = %s", [buyer.email]
        )
    if connection.vendor == "postgresql":
        assert "accounts_user" in str(caught.value)
    log.error("It broke", exc_info=caught.value)
    assert buyer.email not in lines.lines[-1]
    assert "IntegrityError" in lines.last["traceback"]
    if connection.vendor == "postgresql":
        assert "UniqueViolation(23505, accounts_user_pkey)" in lines.last["traceback"]


def test_a_mail_servers_answer_is_not_kept(log: logging.Logger, lines: Lines) -> None:
    refusal = smtplib.SMTPRecipientsRefused({"ana@example.com": (550, b"no ana@example.com")})
    log.error("not sent: %s", refusal, exc_info=failing(refusal))
    assert "ana@" not in lines.lines[-1]
    assert lines.last["error"] == "SMTPRecipientsRefused"


def test_what_nobody_catches_goes_through_the_log(caplog: pytest.LogCaptureFixture) -> None:
    from marketplace.operating.failures import log_thread_failure

    error = failing(ValueError(CANARY))
    log_thread_failure(_arguments(error))
    assert caplog.records[-1].exc_info is not None
    assert CANARY not in JsonFormatter().format(caplog.records[-1])


def _arguments(error: BaseException) -> Any:
    from types import SimpleNamespace

    return SimpleNamespace(exc_type=type(error), exc_value=error, exc_traceback=error.__traceback__)


@pytest.mark.parametrize(
    ("format", "level", "sentence"),
    [("xml", "INFO", "LOG_FORMAT must be"), ("json", "LOUD", "LOG_LEVEL must be")],
)
def test_a_wrong_setting_is_one_sentence(format: str, level: str, sentence: str) -> None:
    with pytest.raises(SystemExit, match=sentence):
        logs.logging_settings(format, level)


def test_statements_are_never_logged() -> None:
    """They hold what people write, whatever the level."""
    loggers = logs.logging_settings("json", "DEBUG")["loggers"]
    assert loggers["django.db.backends"]["level"] == "WARNING"
