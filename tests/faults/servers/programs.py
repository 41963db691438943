"""How the stack's own processes are started, and what they are told by their environment."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.services import ENVIRONMENT

METRICS_TOKEN = "figures-of-a-campaign"
# Short enough to see everything several times in a minute.
TIMES = {
    "NOTIFY_DELAY_SECONDS": "3",
    "NOTIFY_CAP_SECONDS": "6",
    "HEARTBEAT_SECONDS": "3",
    "DRAIN_SECONDS": "2",
    "SEND_LIMITS": "off",
    "METRICS_TOKEN": METRICS_TOKEN,
}
KEPT_NAMES = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")
WEBS = ("web1", "web2")
WORKERS = ("worker1", "worker2")
BEATS = ("beat1", "beat2")
PROGRAMS = (*WEBS, *WORKERS, *BEATS)
# In the order in which they must be there for the next.
NAMES = ("database", "redis", "mail", *PROGRAMS)


def kind_of(name: str) -> str:
    """`web` of `web2`."""
    return name.rstrip("0123456789")


def base_environment(directory: Path, static: Path, sites: list[str]) -> dict[str, str]:
    """All but where the services are. `sites`: the origins under which people reach it."""
    kept = {name: os.environ[name] for name in KEPT_NAMES if name in os.environ}
    return {
        **kept,
        **ENVIRONMENT,
        **TIMES,
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "DATA_DIR": str(directory),
        "STATIC_DIR": str(static),
        "SITE_URL": sites[0],
        "ALLOWED_ORIGINS": ",".join(sites),
    }


def command_of(name: str, *, port: int, application: str, celery: str) -> list[str]:
    """One worker has a pool of threads, as it is deployed; the other one of processes, whose
    children can be killed by themselves."""
    python = [sys.executable, "-m"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    if name in WEBS:
        return [*python, "messaging.daphne", "--bind", "127.0.0.1", "-p", str(port), application]
    if name in BEATS:
        return [*python, "celery", "-A", celery, "beat", "--loglevel", "WARNING"]
    pool = "threads" if name == WORKERS[0] else "prefork"
    options = ["--pool", pool, "--concurrency", "2", "--hostname", f"{name}@campaign", *quiet]
    return [*python, "celery", "-A", celery, "worker", *options, "--loglevel", "WARNING"]


def name_edges(name: str) -> Mapping[str, str]:
    """Which edge a program takes to each service."""
    own = name if name in WEBS else "worker"
    return {
        "DATABASE_URL": f"{own}→database",
        "REDIS_URL": f"{own}→redis",
        "EMAIL_URL": "worker→mail",
    }
