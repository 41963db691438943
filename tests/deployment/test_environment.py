"""A start with a wrong environment: one sentence that says what to do, and never a traceback."""

import re
import sys
from pathlib import Path

import pytest

from tests.deployment.environment import SECRET_KEY, complete, run, run_manage
from tests.services.postgresql import become_unprivileged

BAD: list[tuple[dict[str, str], str]] = [
    ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
    ({"SECRET_KEY": "short-but-random-8fj3"}, "SECRET_KEY is too easy to guess"),
    ({"SECRET_KEY": "abcd" * 20}, "SECRET_KEY is too easy to guess"),
    ({"SECRET_KEY": "django-insecure-" + "8fj3k2l9" * 8}, "SECRET_KEY looks like an example"),
    ({"SECRET_KEY": "Change-me-" + "8fj3k2l9" * 8}, "SECRET_KEY looks like an example"),
    ({"DEBUG": "maybe"}, "DEBUG must be 1 or 0"),
    ({"DEBUG": "1"}, "DEBUG is on and SITE_URL is https://market.example"),
    ({"SITE_URL": ""}, "SITE_URL is not set"),
    ({"SITE_URL": "market.example"}, "SITE_URL has “market.example”"),
    ({"SITE_URL": "ftp://market.example"}, "SITE_URL has “ftp://market.example”"),
    ({"SITE_URL": "https://market.example/shop"}, "must look like https://market.example"),
    ({"SITE_URL": "https://me:p4ss@market.example"}, "SITE_URL has “market.example”"),
    ({"SITE_URL": "https://market.example:port"}, "SITE_URL cannot be read"),
    ({"SITE_URL": "https://[::1"}, "SITE_URL cannot be read"),
    ({"SITE_URL": "http://market.example"}, "outside of this machine passwords need https"),
    ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS is not set"),
    ({"ALLOWED_HOSTS": " , "}, "ALLOWED_HOSTS is not set"),
    ({"ALLOWED_HOSTS": "*"}, "“*” would let anybody pretend"),
    ({"ALLOWED_HOSTS": "market.example,*"}, "“*” would let anybody pretend"),
    ({"ALLOWED_HOSTS": "https://market.example"}, "ALLOWED_HOSTS has “https://market.example”"),
    ({"ALLOWED_HOSTS": "market.example:443"}, "ALLOWED_HOSTS has “market.example:443”"),
    ({"ALLOWED_HOSTS": "other.example"}, "ALLOWED_HOSTS leaves out market.example"),
    ({"ALLOWED_ORIGINS": "https://other.example"}, "ALLOWED_ORIGINS leaves out SITE_URL"),
    ({"ALLOWED_ORIGINS": "https://market.example,null"}, "ALLOWED_ORIGINS has “null”"),
    ({"ALLOWED_ORIGINS": "https://*.example"}, "each origin must be named in full"),
    ({"ALLOWED_ORIGINS": "https://market.example/"}, "ALLOWED_ORIGINS has"),
    ({"ALLOWED_ORIGINS": "https://market.example,http://market.example"}, "Use https"),
    ({"TRUSTED_PROXY_COUNT": ""}, "TRUSTED_PROXY_COUNT is not set"),
    ({"TRUSTED_PROXY_COUNT": "-1"}, "TRUSTED_PROXY_COUNT must be a number"),
    ({"TRUSTED_PROXY_COUNT": "nginx"}, "TRUSTED_PROXY_COUNT must be a number"),
    ({"DATABASE_URL": "mysql://trato@127.0.0.1/trato"}, "must begin with postgres:// or sqlite:"),
    ({"DATABASE_URL": "trato"}, "DATABASE_URL must begin with"),
    ({"DATABASE_URL": "postgres://trato:p4ss@127.0.0.1:port/trato"}, "DATABASE_URL cannot be read"),
    ({"DATABASE_URL": "postgres://trato:p4ss@127.0.0.1/"}, "DATABASE_URL names no database"),
    ({"DATABASE_URL": "postgres://trato:p4ss@[::1/trato"}, "DATABASE_URL cannot be read"),
    ({"DATABASE_URL": "sqlite://:memory:"}, "DATABASE_URL"),
    ({"DATABASE_POOL_SIZE": "1"}, "DATABASE_POOL_SIZE must be 2 or more"),
    ({"DATABASE_POOL_SIZE": "nan"}, "DATABASE_POOL_SIZE must be 2 or more"),
    ({"REDIS_URL": ""}, "REDIS_URL is not set"),
    ({"REDIS_URL": "127.0.0.1:6379"}, "REDIS_URL must begin with redis://"),
    ({"REDIS_URL": "redis://:p4ss@127.0.0.1:port/0"}, "REDIS_URL cannot be read"),
    ({"REDIS_URL": "redis://:p4ss@127.0.0.1/name"}, "REDIS_URL must name a host and the number"),
    ({"REDIS_URL": "unix://"}, "REDIS_URL names no socket"),
    ({"EMAIL_URL": ""}, "EMAIL_URL is not set"),
    ({"EMAIL_URL": "mail.example:25"}, "EMAIL_URL must look like smtp://"),
    ({"EMAIL_URL": "smtp://mail.example:smtp"}, "EMAIL_URL cannot be read"),
    ({"EMAIL_URL": "smtp://mail.example?tls=maybe"}, "EMAIL_URL must look like smtp://"),
    ({"EMAIL_URL": "smtp://user:p4ss@mail.example"}, "would send its password for all to read"),
    ({"DEFAULT_FROM_EMAIL": ""}, "DEFAULT_FROM_EMAIL is not set"),
    ({"DEFAULT_FROM_EMAIL": "Market"}, "DEFAULT_FROM_EMAIL must be an e-mail address"),
    ({"DATA_DIR": "/etc/hostname"}, "DATA_DIR is /etc/hostname"),
    ({"SEND_LIMITS": "many"}, "SEND_LIMITS must look like 10/5s,60/m"),
    ({"BUS_SHARDS": "0"}, "BUS_SHARDS must be 1 or more"),
    ({"HEARTBEAT_SECONDS": "0"}, "HEARTBEAT_SECONDS must be 0.1 or more"),
    ({"HEARTBEAT_SECONDS": "27"}, "HEARTBEAT_SECONDS must be 26 or less"),
    ({"DRAIN_SECONDS": "soon"}, "DRAIN_SECONDS must be a number"),
    ({"DRAIN_SECONDS": "11"}, "DRAIN_SECONDS must be 10 or less"),
    ({"NOTIFY_DELAY_SECONDS": "-1"}, "NOTIFY_DELAY_SECONDS must be 0 or more"),
    ({"NOTIFY_CAP_SECONDS": "inf"}, "NOTIFY_CAP_SECONDS must be 999,999,999 or less"),
    ({"NOTIFY_CAP_SECONDS": "60"}, "NOTIFY_CAP_SECONDS is 60, which is less than NOTIFY_DELAY_SE"),
    ({"SECRET_KEY_FALLBACKS": "short-but-random-8fj3"}, "SECRET_KEY_FALLBACKS is too easy"),
    ({"SEND_LIMITS": "0/5s"}, "SEND_LIMITS has “0/5s”, which lets nobody write at all"),
    ({"SEND_LIMITS": "10/5s,5/0m"}, "SEND_LIMITS has “5/0m”, which lets nobody write at all"),
    ({"EMAIL_URL": "smtp://mail.example:0"}, "EMAIL_URL has port 0"),
    ({"METRICS_TOKEN": "guess-me"}, "METRICS_TOKEN is too easy to guess"),
    ({"RETAIN_EXPORTS_DAYS": "36501"}, "RETAIN_EXPORTS_DAYS must be 36,500 or less"),
    ({"RETAIN_NOTIFICATIONS_DAYS": "1e8"}, "RETAIN_NOTIFICATIONS_DAYS must be 36,500 or less"),
    ({"RETAIN_CLOSED_CONVERSATIONS_DAYS": "1e8"}, "RETAIN_CLOSED_CONVERSATIONS_DAYS must be 36,50"),
]
GOOD: list[dict[str, str]] = [
    {},
    {"ALLOWED_ORIGINS": "https://market.example,https://www.market.example"},
    {"SITE_URL": "http://localhost:8000", "ALLOWED_HOSTS": "localhost", "TRUSTED_PROXY_COUNT": ""},
    {"REDIS_URL": "unix:///run/redis/redis.sock?db=1"},
    {"DATABASE_URL": "postgres://trato@%2Frun%2Fpostgresql/trato"},
    {"DATABASE_URL": "sqlite:////nowhere/trato.sqlite3"},
    {"EMAIL_URL": "smtps://user:p4ss@mail.example"},
    {"SECRET_KEY_FALLBACKS": f"{SECRET_KEY[::-1]},{SECRET_KEY.swapcase()}"},
    {"NOTIFY_DELAY_SECONDS": "1200"},
    {"RETAIN_CLOSED_CONVERSATIONS_DAYS": "36500", "METRICS_TOKEN": "m3tr1cs-" * 2},
    {"DATABASE_URL": "", "DEBUG": "1", "SITE_URL": "", "ALLOWED_HOSTS": "", "REDIS_URL": ""},
]
COMMANDS = {
    "web": ["python", "-m", "messaging.daphne", "-p", "1", "marketplace.asgi:application"],
    "worker": ["celery", "-A", "celery_app", "worker", "--pool", "threads"],
    "beat": ["celery", "-A", "celery_app", "beat"],
}


@pytest.mark.parametrize(("changes", "sentence"), BAD, ids=[str(row[0]) for row in BAD])
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, changes: dict[str, str], sentence: str
) -> None:
    ran = run_manage(["check"], complete(tmp_path, **changes))
    expect_sentence(ran.returncode, ran.stderr, sentence)
    assert ran.stdout == ""


@pytest.mark.parametrize("changes", GOOD, ids=str)
def test_what_is_right_starts(tmp_path: Path, changes: dict[str, str]) -> None:
    ran = run_manage(["check"], complete(tmp_path, **changes))
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_process_says_it(tmp_path: Path, name: str) -> None:
    environment = complete(tmp_path, REDIS_URL="nowhere")
    ran = run(*COMMANDS[name], environment=environment)
    expect_sentence(ran.returncode, ran.stderr, "REDIS_URL must begin with redis://")


def test_a_limit_that_commands_do_not_have_is_checked_where_it_holds(tmp_path: Path) -> None:
    environment = complete(tmp_path, DATABASE_STATEMENT_SECONDS="long")
    ran = run(*COMMANDS["beat"], environment=environment)
    expect_sentence(ran.returncode, ran.stderr, "DATABASE_STATEMENT_SECONDS must be a number")
    assert run_manage(["check"], environment).returncode == 0


def expect_sentence(status: int, said: str, sentence: str) -> None:
    assert status == 1, said
    assert "Traceback" not in said
    assert re.fullmatch(rf"Trato cannot start: .*{re.escape(sentence)}.*\n", said), said
    assert "p4ss" not in said


def test_a_folder_that_is_not_ours_to_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    environment = complete(tmp_path, DATA_DIR=str(folder / "data"))
    command = [*become_unprivileged(), sys.executable, "manage.py", "check"]
    ran = run(*command, environment=environment)
    expect_sentence(ran.returncode, ran.stderr, "where this process may not write")


def test_deployed_over_https_django_finds_nothing_to_warn_about(tmp_path: Path) -> None:
    ran = run_manage(["check", "--deploy", "--fail-level", "WARNING"], complete(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert "no issues (0 silenced)" in ran.stdout


def test_without_tls_it_does(tmp_path: Path) -> None:
    """Negative control for the test above."""
    changes = {"SITE_URL": "http://localhost", "ALLOWED_HOSTS": "localhost"}
    environment = complete(tmp_path, **changes)
    ran = run_manage(["check", "--deploy", "--fail-level", "WARNING"], environment)
    assert ran.returncode == 1
    assert "security.W012" in ran.stderr
