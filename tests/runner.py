"""`bin/test`: everything that must hold, one thing after the other, and what failed at the end.

Standard library only: it starts before there is an environment.
"""

import argparse
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from marketplace.development import virtual_environment
from marketplace.development.virtual_environment import PROJECT
from tests import chromium

TOOLS = virtual_environment.FOLDER / "bin"
TEST_DATA = PROJECT / "var" / "test"
NO_TESTS_COLLECTED = 5
# What goes on for longer is stuck; the others' verdicts are shown all the same.
STEP_SECONDS = 30 * 60
ROWS_AT_ONCE = 3
LEAVE_SECONDS = 60  # Told to stop, it stops what it has started.
Show = Callable[[str | None], object]
# What has nothing to do with which database there is: on PostgreSQL only.
SAME_ON_EVERY_DATABASE = [
    "tests/adoption",
    "tests/deployment",
    "tests/faults",
    "marketplace/listings/tests/test_photos.py",
    *[f"marketplace/operating/tests/test_{name}.py" for name in ("access_log", "inside", "logs")],
    *[f"marketplace/tests/test_{name}.py" for name in ("headers", "headers_everywhere", "hosts")],
    *[f"marketplace/tests/test_{name}.py" for name in ("redis_cache", "static_files")],
    *[f"messaging/tests/test_{name}.py" for name in ("checks", "host_templates", "template_tags")],
    *[
        f"messaging/tests/test_{name}.py"
        for name in ("begin", "daphne_frames", "shards", "websocket_frames")
    ],
    *[f"tests/model/test_{name}.py" for name in ("frames", "requests")],
    *[f"tests/security/test_access_{name}.py" for name in ("admin", "frames", "pages")],
    *[f"tests/security/test_{name}.py" for name in ("document", "files", "forms", "guessing")],
    *[f"tests/test_{name}.py" for name in ("code_size", "development", "held_tasks", "mail_page")],
    *[f"tests/test_{name}.py" for name in ("named_tests", "protocol_page", "translations")],
]
# Browsers and processes are asked for in this folder only, as conftest.py makes sure.
APPS = ["accounts", "marketplace", "messaging", "notifications"]
FOLDERS = {"plain": [*APPS, "tests"], "browser": ["tests"], "processes": ["tests"]}
# About half of what each of the long rows takes; whatever is new comes to the other half.
FIRST_HALF = {
    "plain": APPS,
    "browser": [
        "tests/deployment",
        *[f"tests/browser/test_{name}.py" for name in ("accessibility", "accessible_threads")],
        *[f"tests/browser/test_{name}.py" for name in ("accounts", "changing", "company", "mail")],
        *[f"tests/browser/test_{name}.py" for name in ("markup", "outage_pages", "privacy")],
    ],
    "processes": [
        *[f"tests/{name}" for name in ("adoption", "benchmarks", "deployment", "faults")],
        *[f"tests/{name}" for name in ("model", "security", "processes/test_campaign.py")],
    ],
}
# In this order, so that beside what waits much of its time something else always runs.
MARKS = {
    "processes": "processes and not browser",
    "plain": "not browser and not processes",
    "browser": "browser",
}
# What Django's settings ask for, when a tool only wants to read the code.
SETTINGS = {"DEBUG": "1", "SECRET_KEY": "x", "DATA_DIR": str(TEST_DATA)}


@dataclass
class Step:
    name: str
    command: Sequence[str]
    seconds: float = 0.0
    passed: bool = False
    is_empty: bool = False
    services: str = ""
    last_line: str = ""

    @property
    def is_pytest(self) -> bool:
        return "pytest" in self.command

    def run(self, environment: Mapping[str, str], show: Show) -> None:
        """Shows what it prints, and keeps the lines that belong in the summary."""
        show(f"\n── {self.name}: {' '.join(self.command)}")
        began = time.monotonic()
        with (
            subprocess.Popen(
                self.command,
                cwd=PROJECT,
                env={**environment, **({} if self.is_pytest else SETTINGS)},
                stdout=subprocess.PIPE,
                text=True,
            ) as process,
            deadline(process),
        ):
            assert process.stdout is not None
            for line in process.stdout:
                show(line.rstrip("\n"))
                self.keep(line.strip())
        self.seconds = time.monotonic() - began
        # One file may be asked for, which has nothing for the other steps.
        self.is_empty = self.is_pytest and process.returncode == NO_TESTS_COLLECTED
        self.passed = process.returncode == 0 or self.is_empty

    def keep(self, line: str) -> None:
        if line.startswith("services: "):
            self.services = line.removeprefix("services: ")
        if line:
            self.last_line = line

    def summary(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        lines = [f"  {verdict}  {self.name} ({self.seconds:.0f} s)"]
        if self.is_pytest:
            lines += [f"          on {self.services}", f"          {self.last_line}"]
        return "\n".join(lines)


@contextmanager
def deadline(process: subprocess.Popen[str]) -> Iterator[None]:
    timers = [
        threading.Timer(STEP_SECONDS, process.send_signal, [signal.SIGINT]),
        threading.Timer(STEP_SECONDS + LEAVE_SECONDS, process.kill),
    ]
    for timer in timers:
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()


def main() -> int:
    options = parse()
    virtual_environment.ensure("test", install=options.install)
    check_chromium(install=options.install)
    check_nginx(install=options.install)
    TEST_DATA.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    # Hundreds of processes start here. Without it each would compile everything anew.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.monotonic()
    rows = [*([] if options.quick else linters()), *tests(options.pytest)]
    run_at_once(rows, environment)
    steps = [step for row in rows for step in row]
    print_summary(steps, time.monotonic() - began)
    some_ran = not all(step.is_empty for step in steps if step.is_pytest)
    return 0 if some_ran and all(step.passed for step in steps) else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/test", description="Run every check and every test on real services."
    )
    parser.add_argument("--quick", action="store_true", help="only the tests, no linters")
    parser.add_argument(
        "--install", action="store_true", help="install what is missing of the system, with apt-get"
    )
    parser.add_argument("pytest", nargs="*", help="after --: what pytest is given")
    return parser.parse_args()


def check_chromium(*, install: bool) -> None:
    if chromium.find_whole() is None:
        virtual_environment.install_packages(
            chromium.list_packages(),
            "Chromium, for the tests in a browser, is missing.",
            install=install,
        )


def check_nginx(*, install: bool) -> None:
    """Not asked for unless it may be installed: without it its tests are skipped, and say so."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None and install:
        virtual_environment.install_packages(
            ["nginx-light"], "nginx, for the tests behind a proxy, is missing.", install=True
        )


def linters() -> list[list[Step]]:
    python = str(virtual_environment.PYTHON)
    return [
        [
            Step("style", ["ruff", "check", "."]),
            Step("layout", ["ruff", "format", "--check", "."]),
            Step("imports", ["lint-imports"]),
            Step("templates", ["djlint", "--lint", "--quiet", "templates"]),
            Step("migrations", [python, "manage.py", "makemigrations", "--check", "--dry-run"]),
        ],
        [Step("types", ["mypy"])],
    ]


def tests(given: Sequence[str]) -> list[list[Step]]:
    """Everything on PostgreSQL, and on SQLite what starts no processes of its own."""
    once = [f"--ignore={path}" for path in SAME_ON_EVERY_DATABASE]
    steps = [
        Step(name, pytest(*options, *given))
        for kind in MARKS
        for name, options in (undivided(kind) if given else halves(kind))
    ]
    sqlite = pytest("--database", "sqlite", *once, "-m", MARKS["plain"], *given)
    return [[step] for step in [*steps, Step("tests on SQLite", sqlite)]]


def pytest(*options: str) -> list[str]:
    colour = ["--color=yes"] if sys.stdout.isatty() else []
    return [str(virtual_environment.PYTHON), "-m", "pytest", *colour, *options]


def undivided(kind: str) -> Iterator[tuple[str, list[str]]]:
    """A name and pytest's options."""
    yield f"{kind} on PostgreSQL", options_of(kind, FOLDERS[kind])


def halves(kind: str) -> Iterator[tuple[str, list[str]]]:
    first = FIRST_HALF[kind]
    yield f"{kind} on PostgreSQL, one half", options_of(kind, first)
    others = [path for path in FOLDERS[kind] if path not in first]
    ignored = [f"--ignore={path}" for path in first]
    yield f"{kind} on PostgreSQL, the other", [*options_of(kind, others), *ignored]


def options_of(kind: str, paths: Sequence[str]) -> list[str]:
    """For when none are given: paths that are given take the place of these."""
    return ["-o", f"testpaths={' '.join(paths)}", "-m", MARKS[kind]]


def run_at_once(rows: Sequence[Sequence[Step]], environment: Mapping[str, str]) -> None:
    """Three rows at a time, each step with services and a folder of its own; whoever has ended
    makes room for the next. What they print is shown row by row.

    Half of the steps wait for the clock half of the time. Four at a time make each other so slow
    that all of it takes longer, and so does a long one that goes on when the others have ended.
    """
    printed: list[queue.SimpleQueue[str | None]] = [queue.SimpleQueue() for _ in rows]
    with ThreadPoolExecutor(ROWS_AT_ONCE) as executor:
        running = [
            executor.submit(run_row, row, environment, lines.put)
            for row, lines in zip(rows, printed, strict=True)
        ]
        for lines in printed:
            while (line := lines.get()) is not None:
                show_now(line)
    for row in running:
        row.result()


def run_row(steps: Sequence[Step], environment: Mapping[str, str], show: Show) -> None:
    """Shows None at the end."""
    try:
        for step in steps:
            step.run(environment, show)
    finally:
        show(None)


def show_now(line: str) -> None:
    print(line, flush=True)


def print_summary(steps: Sequence[Step], seconds: float) -> None:
    print(f"\n── Summary ({seconds / 60:.1f} min)")
    for step in steps:
        print(step.summary())
    failed = [step.name for step in steps if not step.passed]
    print(f"\nFailed: {', '.join(failed)}." if failed else "\nEverything passed.", flush=True)
