"""The database: whether it answers, keeps what it has confirmed, and has room for everybody."""

import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging import conf
from messaging.doctor.clocks import judge_clock
from messaging.journals import ON_POSTGRESQL
from messaging.selectors.searching import has_indexes
from notifications.findings import doubtful, fine, wrong

# What PostgreSQL must have switched on for a confirmed row to survive a power cut.
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
SYNCHRONOUS_FULL = 2
SLOW_SECONDS = 0.1


def ask_database() -> Iterator[CheckMessage]:
    began = time.monotonic()
    try:
        _read_one("SELECT 1")
    except DatabaseError:
        yield wrong(
            _("The database does not answer. Nothing can be read or written."),
            _("Start it, then look at DATABASE_URL: the host, the name and the password."),
        )
        return
    seconds = time.monotonic() - began
    began = time.monotonic()
    _read_one("SELECT 1")
    milliseconds = {"milliseconds": round((time.monotonic() - began) * 1000, 1)}
    if time.monotonic() - began > SLOW_SECONDS or seconds > 10 * SLOW_SECONDS:
        yield doubtful(
            _("The database answers slowly: one query took %(milliseconds)s ms.") % milliseconds,
            _("Each message waits for several. Put the database closer, or give it more."),
        )
    else:
        yield fine(_("The database answers in %(milliseconds)s ms.") % milliseconds)


def ask_durability() -> Iterator[CheckMessage]:
    """Nothing acknowledged is lost only if the database keeps what it has confirmed."""
    if connection.vendor == "postgresql":
        off = [name for name in DURABLE if _read_one(f"SHOW {name}") == "off"]
    else:
        off = _find_loose_pragmas()
    if not off:
        yield fine(_("What the database has confirmed survives a power cut."))
        return
    yield wrong(
        _("The database may lose messages that people were told are stored: %(names)s.")
        % {"names": ", ".join(off)},
        _("Switch these on and restart the database.")
        if connection.vendor == "postgresql"
        else _("Set them in OPTIONS of DATABASES, as marketplace/settings.py does."),
    )


def _find_loose_pragmas() -> list[str]:
    journal = str(_read_one("PRAGMA journal_mode")).lower()
    synchronous = int(_read_one("PRAGMA synchronous"))
    loose = [] if journal == "wal" else [f"journal_mode={journal}"]
    return loose + ([] if synchronous >= SYNCHRONOUS_FULL else [f"synchronous={synchronous}"])


def ask_migrations() -> Iterator[CheckMessage]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not plan:
        yield fine(_("The tables are those of this release."))
        return
    names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _back in plan[:5])
    yield wrong(
        ngettext(
            "%(count)d migration has not been applied: %(names)s.",
            "%(count)d migrations have not been applied: %(names)s.",
            len(plan),
        )
        % {"count": len(plan), "names": names},
        _("Run “manage.py migrate” before the processes of this release start."),
    )


def ask_search() -> Iterator[CheckMessage]:
    """Migrations 0005 and 0007 leave theirs out where the database may not have what they need."""
    if connection.vendor != "postgresql":
        return
    if has_indexes():
        yield fine(_("Searches have their indexes."))
        return
    yield doubtful(
        _("Searches have no indexes: with many messages they take long."),
        _("Have “CREATE EXTENSION pg_trgm” run, then migrate messaging to 0006 and back to 0007."),
    )


def ask_pool() -> Iterator[CheckMessage]:
    """Whether all processes together find room in PostgreSQL."""
    yield from _judge_lifetime()
    if connection.vendor != "postgresql":
        return
    pool = settings.DATABASES["default"].get("OPTIONS", {}).get("pool")
    if not pool:
        yield doubtful(
            _("There is no pool of database connections: each request opens one of its own."),
            _("Set OPTIONS['pool'] of DATABASES, with a max_size and a timeout."),
        )
        return
    size = int(pool.get("max_size") or pool.get("min_size") or 4) if isinstance(pool, dict) else 4
    yield from _judge_size(size)


def _judge_lifetime() -> Iterator[CheckMessage]:
    database: dict[str, Any] = settings.DATABASES["default"]
    if database.get("CONN_MAX_AGE", 0) != 0:
        yield wrong(
            _("CONN_MAX_AGE is not 0: under ASGI every thread keeps a connection of its own."),
            _("Set it to 0 and use the pool."),
        )
    if not database.get("AUTOCOMMIT", True):
        yield wrong(
            _("AUTOCOMMIT is off: messages would be acknowledged and never be committed."),
            _("Take AUTOCOMMIT out of DATABASES: it is on by itself."),
        )
    if database.get("ATOMIC_REQUESTS"):
        yield wrong(
            _("ATOMIC_REQUESTS is on: messages would be acknowledged before they are stored."),
            _("Switch it off."),
        )


def _judge_size(size: int) -> Iterator[CheckMessage]:
    threads = conf.database_threads()
    # Each journal has two, one of them for whoever is held by others; and one for a page.
    least = threads + 2 * ON_POSTGRESQL + 1
    if size < least:
        yield doubtful(
            _("The pool has %(size)d connections for %(threads)d threads, the journal and pages.")
            % {"size": size, "threads": threads},
            _("Set DATABASE_POOL_SIZE to at least %(least)d.") % {"least": least},
        )
    most = int(_read_one("SHOW max_connections")) - int(
        _read_one("SHOW superuser_reserved_connections")
    )
    used = int(_read_one("SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'client%'"))
    numbers = {"size": size, "most": most, "processes": most // size, "used": used}
    sentence = _(
        "Each process takes up to %(size)d database connections; PostgreSQL has %(most)d,"
        " of which %(used)d are in use: room for %(processes)d processes."
    )
    # Two web processes, a worker and the beat are the least that is run.
    if most // size < 4:
        yield doubtful(
            sentence % numbers,
            _("Make DATABASE_POOL_SIZE smaller, or max_connections of PostgreSQL larger."),
        )
    else:
        yield fine(sentence % numbers)


def ask_clock() -> Iterator[CheckMessage]:
    """Moments are compared that different machines have written."""
    if connection.vendor != "postgresql":
        yield fine(_("The database has the clock of this machine."))
        return
    before = timezone.now()
    there = _read_one("SELECT clock_timestamp()")
    after = timezone.now()
    skew = (there - (before + (after - before) / 2)).total_seconds()
    yield judge_clock(_("the database"), skew)


def _read_one(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return row[0] if row else None
