"""Child processes that never outlive the process that started them, not even when it is killed.

Standard library only: the tests use this before Django is set up.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

LINUX = sys.platform == "linux"

# Becomes the command it is given, after asking the kernel to be killed with its parent. In a
# program of its own, because nothing may run between fork and exec in a process with threads.
TIE_TO_PARENT = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):  # It died before the line above took effect.
    os._exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""
# Where the kernel cannot do that: waits for the parent's end of a pipe to close.
WATCHDOG = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pids = set()
for line in sys.stdin:
    (pids.add if line[0] == "+" else pids.discard)(int(line[1:]))
for pid in pids:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


def start_child(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    directory: Path,
    output: IO[bytes] | int,
) -> subprocess.Popen[bytes]:
    """Start a process in our process group that the kernel kills when we die.

    Call it from the main thread: the kernel watches the thread that forks, not the process.
    """
    child = subprocess.Popen(
        tied_to_us(command),
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    if not LINUX:
        watchdog().watch(child.pid)
    return child


def tied_to_us(command: Sequence[str | Path]) -> list[str]:
    """`command`, to be killed with this process where the kernel does that."""
    tie = [sys.executable, "-I", "-S", "-c", TIE_TO_PARENT, str(os.getpid())] if LINUX else []
    return [*tie, *(str(part) for part in command)]


class Watchdog:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", WATCHDOG], stdin=subprocess.PIPE, text=True
        )

    def watch(self, pid: int) -> None:
        self.write(f"+{pid}\n")

    def forget(self, pid: int) -> None:
        self.write(f"-{pid}\n")

    def write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()


_watchdog: list[Watchdog] = []


def watchdog() -> Watchdog:
    if not _watchdog:
        _watchdog.append(Watchdog())
    return _watchdog[0]


def stop_children(
    children: Sequence[subprocess.Popen[bytes]],
    *,
    seconds: float,
    ask_with: signal.Signals = signal.SIGTERM,
) -> None:
    """Ask all of them to end, wait for `seconds` altogether, then kill whoever is left."""
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(ask_with)
    deadline = time.monotonic() + seconds
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if not LINUX:
            watchdog().forget(child.pid)


def wait_until(
    condition: Callable[[], bool],
    *,
    seconds: float,
    what: str,
    child: subprocess.Popen[bytes] | None = None,
) -> None:
    """Look every 20 ms. RuntimeError when it takes longer than `seconds` or `child` ends."""
    deadline = time.monotonic() + seconds
    while not condition():
        if child is not None and child.poll() is not None:
            raise RuntimeError(f"{what}: ended with status {child.returncode}.")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds:g} s.")
        time.sleep(0.02)
