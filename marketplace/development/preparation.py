"""What must be there before the first page: tables, demo people, static files, translations.

Each step is done when what it depends on has changed since it was last done, so that a second
start does nothing. `python -m marketplace.development.preparation` does the steps it is given.
"""

import contextlib
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from marketplace.development.configuration import PROJECT, Places, places
from marketplace.translations import compile_changed, list_catalogues, list_compiled

APPS = ("accounts", "marketplace", "messaging", "notifications")


def list_needed(environment: Mapping[str, str]) -> list[str]:
    """Names of the steps to do."""
    done = read_done(places(environment))
    now = fingerprints(environment)
    return [step for step in STEPS if not now[step] or done.get(step) != now[step]]


def read_done(where: Places) -> dict[str, str]:
    try:
        done: dict[str, str] = json.loads(where.prepared.read_text())
    except (OSError, ValueError):
        return {}
    return done


def fingerprints(environment: Mapping[str, str]) -> dict[str, str]:
    """For each step what it was made from; "" when that cannot be told."""
    where = places(environment)
    packages = PROJECT / "requirements" / "dev.txt"
    code = [PROJECT / "marketplace" / "static_files.py", PROJECT / "marketplace" / "settings.py"]
    return {
        "database": fingerprint_database(environment, where),
        "static": fingerprint([packages, *code, *find("static/**/*"), *made(where, "static")]),
        "translations": fingerprint([*list_catalogues(), *list_compiled()]),
    }


def fingerprint_database(environment: Mapping[str, str], where: Places) -> str:
    """Of the migrations that there are and of those that have run, and of the demo data's code.

    A database that is not ours to open says nothing: Django has to ask it.
    """
    if environment.get("DATABASE_URL") or not (where.data / "media").is_dir():
        return ""
    try:
        with contextlib.closing(sqlite3.connect(where.data / "trato.sqlite3")) as database:
            ran = database.execute("SELECT app, name FROM django_migrations ORDER BY 1, 2")
            rows = repr(ran.fetchall())
    except sqlite3.Error:
        return ""
    seeding = PROJECT.glob("marketplace/listings/**/*.py")
    return fingerprint([PROJECT / "requirements/dev.txt", *find("migrations/*.py"), *seeding], rows)


def find(pattern: str) -> Iterable[Path]:
    return (path for app in APPS for path in (PROJECT / app).glob(f"**/{pattern}"))


def made(where: Places, folder: str) -> list[Path]:
    """The folder that a step fills: somebody may have removed it."""
    return [path for path in [where.data / folder] if path.exists()]


def fingerprint(paths: Iterable[Path], further: str = "") -> str:
    lines = [further]
    for path in sorted(set(paths)):
        stat = path.stat()
        is_file = path.is_file()
        lines.append(f"{path} {stat.st_size} {stat.st_mtime_ns}" if is_file else str(path))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def prepare_database() -> None:
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    call_command("seed_demo", verbosity=0)


def collect_static() -> None:
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, clear=True, verbosity=0)


STEPS = {
    "database": prepare_database,
    "static": collect_static,
    "translations": compile_changed,
}


def main(steps: list[str]) -> None:
    import os

    import django

    django.setup()
    where = places(os.environ)
    for step in steps:
        STEPS[step]()
        done = read_done(where) | {step: fingerprints(os.environ)[step]}
        where.prepared.write_text(json.dumps(done, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
