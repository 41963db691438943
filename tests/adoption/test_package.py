"""The package has everything the two apps need, and nothing else."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

from tests.adoption.installation import build_wheel, run
from tests.services.places import PROJECT

APPS = ("messaging", "notifications")
SDIST = "from setuptools import build_meta; build_meta.build_sdist('../sdist')"
NAME = re.compile(r"[A-Za-z0-9-]+")
NEEDED = {
    "django", "channels", "daphne", "autobahn", "twisted", "celery", "kombu", "msgspec",
    "lucide", "css-inline",
}  # fmt: skip
# Loaded by its name, where settings have one.
OF_AN_EXTRA = {
    *(("messaging/redis_layer.py", name) for name in ("redis", "channels_redis")),
    *((f"messaging/{module}.py", "uvicorn") for module in ("uvicorn", "uvicorn_sockets")),
}
LEFT_OUT = {"tests", "__pycache__"}


def names_in(wheel: Path) -> set[str]:
    with ZipFile(wheel) as opened:
        return set(opened.namelist())


def of_the_apps(names: Iterable[str]) -> set[str]:
    return {name for name in names if not name.partition("/")[0].endswith(".dist-info")}


def find_files(folder: Path, *suffixes: str) -> list[Path]:
    found = [path.relative_to(PROJECT) for path in folder.rglob("*") if path.is_file()]
    kept = [path for path in found if not LEFT_OUT & set(path.parts)]
    return [path for path in kept if not suffixes or path.suffix in suffixes]


def expected() -> set[str]:
    names: set[str] = set()
    for app in APPS:
        names |= {str(path) for path in find_files(PROJECT / app, ".py")}
        names |= {str(path) for path in find_files(PROJECT / app / "static")}
        for catalogue in find_files(PROJECT / app / "locale", ".po"):
            names |= {str(catalogue), str(catalogue.with_suffix(".mo"))}
        templates = find_files(PROJECT / "templates" / app)
        names |= {str(Path(app) / path) for path in templates}
        names.add(f"{app}/py.typed")
    return names


def test_the_wheel_has_all_of_the_two_apps_and_nothing_else(wheel: Path) -> None:
    assert of_the_apps(names_in(wheel)) == expected()


def test_what_is_expected_is_not_nothing() -> None:
    names = expected()
    for name in (
        "messaging/migrations/0001_initial.py",
        "messaging/templates/messaging/conversation.html",
        "messaging/static/messaging/js/thread.js",
        "messaging/locale/es/LC_MESSAGES/django.mo",
        "notifications/templates/notifications/email/new_message.html",
        "notifications/schedule.py",
    ):
        assert name in names


def test_it_asks_for_nothing_that_only_the_marketplace_needs(wheel: Path) -> None:
    with ZipFile(wheel) as opened:
        [name] = [name for name in opened.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = message_from_string(opened.read(name).decode())
    needed = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert {NAME.match(line)[0].lower() for line in needed} == NEEDED  # type: ignore[index]
    assert set(metadata.get_all("Provides-Extra", [])) == {"redis", "postgresql", "uvicorn"}


def test_the_apps_import_nothing_that_it_does_not_ask_for(wheel: Path) -> None:
    known = {*sys.stdlib_module_names, *APPS, *(name.replace("-", "_") for name in NEEDED)}
    with ZipFile(wheel) as opened:
        imported = {
            (name, module.partition(".")[0])
            for name in opened.namelist()
            if name.endswith(".py")
            for module in modules_in(opened.read(name))
        }
    assert {(name, module) for name, module in imported if module not in known} == OF_AN_EXTRA
    assert ("messaging/routing.py", "channels") in imported


def modules_in(source: bytes) -> Iterator[str]:
    """Of a module as it loads: what a function imports only when it is called is an extra's."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_source_distribution_builds_the_same_wheel(sources: Path, wheel: Path) -> None:
    made = sources.parent / "sdist"
    run([sys.executable, "-c", SDIST], cwd=sources)
    [archive] = made.glob("*.tar.gz")
    run([sys.executable, "-m", "tarfile", "-e", str(archive), str(made)], cwd=sources)
    [unpacked] = [path for path in made.iterdir() if path.is_dir()]
    assert not (unpacked / "marketplace").exists()
    rebuilt = build_wheel(unpacked, made / "wheel")
    assert names_in(rebuilt) == names_in(wheel)
