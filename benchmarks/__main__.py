"""`bin/bench`."""

import importlib.metadata
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from types import FrameType

from benchmarks import machine
from benchmarks.arguments import Options, parse
from benchmarks.ground import Ground
from benchmarks.measures.catalogue import CATALOGUE
from benchmarks.reports import baseline, page, text
from benchmarks.reports.report import Report
from benchmarks.running import Disturbed, run_measure
from benchmarks.taking import Result
from tests.services.places import PROJECT, make_run_directory, remove_run_directory

# Of a full run: the sockets of a storm need people of their own, each with a conversation.
ROOMS_FULL, ROOMS_QUICK = 2500, 600
MESSAGES = 80
PACKAGES = (
    *("django", "channels", "channels-redis", "redis", "daphne", "autobahn", "twisted", "uvicorn"),
    *("websockets", "psycopg", "msgspec"),
)


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    signal.signal(signal.SIGTERM, end)
    machine.raise_open_files()
    began = time.monotonic()
    directory = make_run_directory()
    rooms = ROOMS_FULL if options.is_full else ROOMS_QUICK
    ground = Ground(directory, rooms=rooms, messages=MESSAGES)
    try:
        say(f"Filling databases with {rooms} conversations …")
        ground.start()
        results, failed = measure_all(ground, options)
    finally:
        ground.stop()
        remove_run_directory(directory)
    report = Report(results, options.is_full, time.monotonic() - began, versions(ground))
    status = conclude(report, options)
    for sentence in failed:
        say(sentence)
    return 1 if failed else status


def measure_all(ground: Ground, options: Options) -> tuple[list[Result], list[str]]:
    """What was measured, and a sentence for each measure that could not be: an hour of others is
    not lost with it."""
    if ground.cores.are_shared:
        say("There is one core only: whoever loads the servers slows them. Ratios are too low.")
    results, failed = [], []
    for measure in CATALOGUE:
        if measure.name not in options.measures:
            continue
        try:
            results.append(run_measure(measure, ground, options.sizes, options.contenders, say))
        except Disturbed as error:
            failed.append(str(error))
        except Exception as error:
            traceback.print_exc()
            failed.append(f"{measure.name} could not be measured: {type(error).__name__}.")
    return results, failed


def conclude(report: Report, options: Options) -> int:
    moved = baseline.compare(report)
    folder = options.report
    folder.mkdir(parents=True, exist_ok=True)
    shown = text.write(report, moved)
    (folder / "report.txt").write_text(shown)
    (folder / "report.html").write_text(page.draw(report, moved))
    (folder / "report.json").write_text(report.as_json())
    if options.keeps_baseline:
        baseline.keep(report)
    say(f"\n{shown}\nAlso in {folder}/report.html and report.json.")
    return 0 if report.is_good and not moved.worse else 1


def versions(ground: Ground) -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in PACKAGES if is_installed(name)}
    return {
        **machine.describe(),
        "revision": revision(),
        "database": ground.postgres.description.partition(" (")[0] + ", fsync on",
        "layer": ground.redis.description.partition(" (")[0],
        **found,
    }


def is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def revision() -> str:
    git = shutil.which("git")
    if git is None:
        return "unknown"
    asked = [git, "describe", "--always", "--dirty", "--abbrev=12"]
    ran = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True)
    return ran.stdout.strip() or "unknown"


def end(number: int, frame: FrameType | None) -> None:
    """Told to end: what has been started ends with it."""
    raise SystemExit(128 + number)


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
