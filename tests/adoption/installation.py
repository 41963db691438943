"""Builds the package as somebody else would, and installs it into the shop beside this file."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from marketplace.redis_urls import broker_url
from tests.services.databases import create_database, drop_database
from tests.services.mails import MailSink
from tests.services.places import PROJECT
from tests.services.ports import find_free_port
from tests.services.redis import RedisServer, find_binary

HOST = Path(__file__).resolve().parent / "shop"
DATABASE = "trato_shop"
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "LICENSE", "README.md", "requirements")
FOLDERS = ("messaging", "notifications", "templates")
# What building needs is in this environment already, and nothing is fetched.
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
LOCAL = ["--no-index", "--no-deps"]
# Messaging's own tests that ask nothing of the pages around it.
CONTRACT = (
    *("record", "read", "messages_json", "inbox_filters", "notification_source"),
    *("room_socket", "inbox_socket", "socket_gaps", "socket_replay"),
)


def run(command: Sequence[str | Path], **options: object) -> str:
    """What it printed. AssertionError with all of it when it fails."""
    ran = subprocess.run(command, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return str(ran.stdout)


def copy_sources(target: Path) -> Path:
    """What a package is built from; building leaves its traces there and not in the project."""
    target.mkdir()
    for name in SOURCES[:-1]:
        shutil.copy2(PROJECT / name, target)
    for folder in (SOURCES[-1], *FOLDERS):
        leave_out = shutil.ignore_patterns("__pycache__", "*.pyc", "*.mo")
        shutil.copytree(PROJECT / folder, target / folder, ignore=leave_out)
    return target


def build_wheel(sources: Path, target: Path) -> Path:
    run([*PIP, "wheel", "--no-build-isolation", *LOCAL, "--wheel-dir", target, sources])
    [wheel] = target.glob("*.whl")
    return wheel


class Shop:
    """The other project: a database, a Redis and a mailbox of its own, and the wheel."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        self.packages = directory / "packages"
        self.port = find_free_port()
        self.mails = MailSink()
        self.redis = RedisServer(directory / "redis", find_binary()).start()
        self.environment = {**without_ours(os.environ), **self.describe()}

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def describe(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(self.packages),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "shopfront.settings",
            "SHOP_SECRET": "only-for-tests-0123456789-0123456789-0123456789-0123456789",
            "SHOP_DATA": str(self.directory),
            "SHOP_DATABASE": self.make_database(),
            "SHOP_REDIS": self.redis.url,
            "SHOP_BROKER": broker_url(self.redis.url),
            "SHOP_SMTP": str(self.mails.port),
        }

    def make_database(self) -> str:
        if os.environ["DATABASE_URL"].startswith("sqlite"):
            return f"sqlite:///{self.directory}/shop.sqlite3"
        return create_database(os.environ["DATABASE_URL"], DATABASE)

    def install(self, wheel: Path) -> None:
        run([*PIP, "install", *LOCAL, "--target", self.packages, wheel])
        # Tests are not in the wheel: these are put beside what they test.
        shutil.copytree(PROJECT / "messaging" / "tests", self.packages / "messaging" / "tests")

    def remove(self) -> None:
        self.redis.stop()
        if not os.environ["DATABASE_URL"].startswith("sqlite"):
            drop_database(os.environ["DATABASE_URL"], f"test_{DATABASE}")
            drop_database(os.environ["DATABASE_URL"], DATABASE)

    def python(self, *arguments: str | Path, **environment: str) -> str:
        return run([sys.executable, *arguments], cwd=HOST, env={**self.environment, **environment})

    def manage(self, *arguments: str, **environment: str) -> str:
        return self.python("manage.py", *arguments, **environment)

    def test(self, *paths: str | Path) -> str:
        return self.python(
            "-m", "pytest", "-c", "pytest.ini", "--rootdir", HOST, "-q", "-x", *paths
        )

    def contract(self) -> list[Path]:
        tests = self.packages / "messaging" / "tests"
        return [tests / f"test_{name}.py" for name in CONTRACT]


def without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    """What any process has, and nothing that is Trato's own."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: value for name, value in environment.items() if name in kept}
