"""A program of the stack with everything it started, and what it costs."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
# Somebody has to wake up whom we stopped, also when we are killed meanwhile: what is stopped does
# not notice that its parent has died. Waits for our end of a pipe to close.
WAKE = 'read line; kill -CONT "$@" 2>/dev/null'


def family_of(pid: int) -> list[int]:
    """The process and all that descend from it, the eldest first."""
    found = [pid]
    for parent in found:
        found += children_of(parent)
    return found


def children_of(pid: int) -> list[int]:
    try:
        lists = list((PROC / str(pid) / "task").glob("*/children"))
        return [int(child) for listed in lists for child in listed.read_text().split()]
    except OSError:
        return []


def signal_family(pid: int, number: signal.Signals) -> int:
    """The eldest first, so that nobody starts another; how many were there."""
    count = 0
    for member in family_of(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, number)
            count += 1
    return count


class Pause:
    """A process and all that descend from it, stopped until `end`."""

    def __init__(self, pid: int) -> None:
        members = stop_family(pid)
        command = ["sh", "-c", WAKE, "sh", *(str(member) for member in members)]
        # In a session of its own, where no Ctrl-C reaches it.
        self.waker = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def end(self) -> None:
        assert self.waker.stdin is not None
        self.waker.stdin.close()
        self.waker.wait()


def stop_family(pid: int) -> list[int]:
    """Those that a member started before it was stopped are stopped too."""
    stopped: list[int] = []
    while rest := [member for member in family_of(pid) if member not in stopped]:
        for member in rest:
            stopped.append(member)
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGSTOP)
    return stopped


def memory_of(pid: int) -> int:
    """Resident bytes of the whole family."""
    return sum(resident_bytes(member) for member in family_of(pid))


def resident_bytes(pid: int) -> int:
    try:
        pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_of(pid: int) -> int:
    """The most bytes that each of the family ever held, added up."""
    return sum(peak_bytes(member) for member in family_of(pid))


def peak_bytes(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    kilobytes = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return 1024 * int(next(kilobytes, 0))


def descriptors_of(pid: int) -> int:
    """Open files and sockets of one process, without its children; 0 when it is gone."""
    return sum(1 for _ in list_descriptors(pid))


def list_descriptors(pid: int) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from (PROC / str(pid) / "fd").iterdir()
