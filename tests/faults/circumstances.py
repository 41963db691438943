"""What a run was: written into its history, so that whoever judges it later can say the same."""

import importlib.metadata
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.faults.arguments import Options
from tests.faults.servers.stack import Stack
from tests.services.places import PROJECT

PACKAGES = ("django", "channels", "channels-redis", "daphne", "redis", "psycopg", "celery", "kombu")
REPORT = "report.txt"
# In an old report: a heading, and under it lines of a name and what is said of it.
SEED = re.compile(r"^seed (\d+),", re.MULTILINE)
HEADED = r"^{heading}\n((?:  .*\n)*)"
NAMED = re.compile(r"^  (\S.*?) {2,}(\S+)$", re.MULTILINE)


def describe_run(options: Options, stack: Stack, *, database: str) -> dict[str, Any]:
    """Names no folder and no machine. `database`: PostgreSQL's version."""
    return {
        "seed": options.seed,
        "options": {
            "minutes": options.minutes,
            "nemeses": list(options.nemeses),
            "seconds_each": options.seconds_each,
            "rate": options.rate,
            "people": options.people,
            "conversations": options.conversations,
            "passing": options.passing,
        },
        "versions": read_versions(database, stack.redis.description),
        "revision": read_revision(),
        "kills": count_kills(stack.kills),
    }


def read_versions(database: str, redis: str) -> dict[str, str]:
    """`redis`: a name, a version and a path."""
    versions = {"Python": platform.python_version()}
    for name in PACKAGES:
        versions[name] = importlib.metadata.version(name)
    if database:
        versions["PostgreSQL"] = database
    product, version, *_ = redis.split(" ")
    versions[f"{product} server"] = version
    return versions


def read_revision() -> str:
    """Of the checkout that was run; empty where there is none."""
    try:
        revision = ask_git("rev-parse", "HEAD")
        changed = ask_git("status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{revision[:12]}{', with changes' if changed else ''}"


def ask_git(*arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(PROJECT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def count_kills(kills: dict[str, int]) -> dict[str, int]:
    """The mail server is no process of its own: it only stops listening."""
    return {name: count for name, count in sorted(kills.items()) if name != "mail"}


def read_earlier(folder: Path) -> dict[str, Any]:
    """The same from a report that was written when the run ended, as far as it says so: old
    histories do not."""
    path = folder / REPORT
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    told: dict[str, Any] = {}
    if seed := SEED.search(text):
        told["seed"] = int(seed[1])
    if versions := read_named(text, "Versions"):
        told["versions"] = versions
    if kills := read_named(text, "Kills by kind of process"):
        told["kills"] = {
            name: int(count.replace(",", ""))
            for name, count in kills.items()
            if count.replace(",", "").isdigit()
        }
    return told


def read_named(text: str, heading: str) -> dict[str, str]:
    found = re.search(HEADED.format(heading=re.escape(heading)), text, re.MULTILINE)
    return dict(NAMED.findall(found[1])) if found else {}
