"""How every process logs: one line for each event, as JSON or as text, to the standard error.

A record's own facts are in `details` (`extra={"details": {…}}`); everything goes through the
redaction. Web, worker, beat and commands share this: Celery and Daphne keep theirs to themselves.
"""

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marketplace import environment
from marketplace.logs_redaction import (
    LONGEST_PATH,
    describe,
    describe_traceback,
    hide_messages,
    redact,
    redact_value,
    shorten,
)
from messaging.log_context import connection_id, request_id

FORMATS = {"json": "marketplace.logs.JsonFormatter", "text": "marketplace.logs.TextFormatter"}
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# A line for each sweep of the beat says nothing: the doctor and the metrics know of it.
NOISY = ("celery.beat", "celery.worker.strategy", "celery.app.trace")
# Statements and tasks hold what people write: these tell of neither, whatever the level.
CARRIES_CONTENT = ("django.db.backends", "psycopg", "celery.pool", "celery.concurrency", "amqp")
CELERYS_INTAKE = "celery.worker.consumer"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def logging_settings(format: str, level: str) -> dict[str, Any]:
    """Django's LOGGING. Stops with a sentence when the format or the level is none."""
    level = level.upper()
    if format not in FORMATS:
        environment.stop(f"LOG_FORMAT must be json or text, not “{format}”.")
    if level not in LEVELS:
        environment.stop(f"LOG_LEVEL must be one of {', '.join(LEVELS)}, not “{level}”.")
    quiet = {} if level == "DEBUG" else {name: {"level": "WARNING"} for name in NOISY}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": FORMATS[format]}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Without Django's own handlers: one of them mails failures, with all that was posted.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # Each refusal has its line in the access log; this adds failures with their place.
            "django.request": {"level": "ERROR"},
            **quiet,
            **{name: {"level": "WARNING"} for name in CARRIES_CONTENT},
        },
    }


class LineFormatter(logging.Formatter):
    """What both formats share: a message without secrets, and the ids of its context."""

    def read(self, record: logging.LogRecord) -> dict[str, Any]:
        """The record as fields; `traceback` only if it has one."""
        details = getattr(record, "details", {})
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": read_message(record),
            "request_id": details.get("request_id") or request_id.get(),
            "connection_id": details.get("connection_id") or connection_id.get(),
        }
        if "path" in details:  # Whatever a client says: so much of it tells which page it was.
            details = {**details, "path": shorten(str(details["path"]), LONGEST_PATH)}
        more = {key: redact_value(value) for key, value in details.items() if key not in fields}
        return {**{key: value for key, value in fields.items() if value}, **more, **_error(record)}


class JsonFormatter(LineFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.read(record))  # Line breaks and all beyond ASCII are escaped.


class TextFormatter(LineFormatter):
    """For people: the time, the level, the sentence, then the rest as `name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        fields = self.read(record)
        trouble = fields.pop("traceback", "")
        start = f"{fields.pop('time')} {fields.pop('level'):8} {fields.pop('message')}"
        line = " ".join([start, *(f"{name}={value}" for name, value in fields.items())])
        return escape_controls(line) + (f"\n{trouble}" if trouble else "")


def escape_controls(text: str) -> str:
    """Nobody writes a line of their own into the log."""
    return CONTROL.sub(lambda found: ascii(found.group())[1:-1], text)


def read_message(record: logging.LogRecord) -> str:
    """The sentence with its values, without what exceptions say."""
    errors = [value for value in _values(record) if isinstance(value, BaseException)]
    errors += [
        inner
        for value in (record.msg, *_values(record))
        if isinstance(inner := getattr(value, "value", None), BaseException)  # Twisted's Failure.
    ]
    if record.exc_info and record.exc_info[1]:
        errors.append(record.exc_info[1])
    return redact(hide_messages(_write(record), *errors))


def _write(record: logging.LogRecord) -> str:
    if isinstance(record.msg, BaseException):
        return describe(record.msg)
    arguments = record.args
    if record.name.startswith(CELERYS_INTAKE):  # After the first value comes the task's message.
        arguments = tuple("…" if place else v for place, v in enumerate(_values(record)))
    if isinstance(arguments, Mapping):
        arguments = {name: _harmless(name, value) for name, value in arguments.items()}
    elif arguments:
        arguments = tuple(_harmless("", value) for value in arguments)
    try:
        return str(record.msg) % arguments if arguments else str(record.msg)
    except (TypeError, ValueError, KeyError):
        return str(record.msg)


def _harmless(name: str, value: Any) -> Any:
    if isinstance(value, BaseException):
        return describe(value)
    if name in ("args", "kwargs", "return_value", "traceback"):  # Celery's, of a task.
        return "…"
    if name == "exc":  # Celery's: an exception as it prints itself. Its type is the first word.
        found = re.match(r"[\w.]+", str(value))
        return found.group() if found else "…"
    return value


def _values(record: logging.LogRecord) -> tuple[Any, ...]:
    if isinstance(record.args, Mapping):
        return tuple(record.args.values())
    return tuple(record.args or ())


def _error(record: logging.LogRecord) -> dict[str, str]:
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return {}
    return {"error": describe(error), "traceback": describe_traceback(error)}
