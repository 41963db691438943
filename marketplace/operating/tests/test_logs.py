"""What a line of the log holds, and what it never does."""

import logging
import smtplib
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection

from accounts.models import User
from marketplace import logs
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
