"""Where a test run keeps its things: `var/test/<pid>/`, gone with the run."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from marketplace.development.valkey import LONGEST_SOCKET_PATH

PROJECT = Path(__file__).resolve().parent.parent.parent
RUNS = PROJECT / "var" / "test"
ROOM_FOR_A_SOCKET = len("/valkey/.s.PGSQL.5432")


def make_run_directory() -> Path:
    remove_ended_runs()
    directory = RUNS / str(os.getpid())
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, mode=0o700)
    return directory


def remove_ended_runs() -> None:
    """A killed run could not tidy up after itself."""
    for directory in RUNS.glob("[0-9]*"):
        if directory.name.isdigit() and not is_running(int(directory.name)):
            shutil.rmtree(directory, ignore_errors=True)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def reachable(directory: Path) -> Path:
    """A path to `directory` that is short enough for sockets in it and plain enough for URLs.

    On Linux that is a door through our own open file, which works for our children too.
    """
    short = len(os.fsencode(directory)) + ROOM_FOR_A_SOCKET <= LONGEST_SOCKET_PATH
    if short and quote(str(directory)) == str(directory):
        return directory
    if Path("/proc/self/fd").is_dir():
        return Path(f"/proc/{os.getpid()}/fd/{os.open(directory, os.O_RDONLY | os.O_DIRECTORY)}")
    link = Path(tempfile.mkdtemp(prefix="trato-")) / "run"
    link.symlink_to(directory)
    return link


def keep_logs(directory: Path) -> None:
    """In `var/test/logs/`, until the next run ends: what a failure may be about."""
    shutil.rmtree(RUNS / "logs", ignore_errors=True)
    for log in directory.glob("**/*.log"):
        target = RUNS / "logs" / log.relative_to(directory)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(log, target)


def remove_run_directory(directory: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(directory)
