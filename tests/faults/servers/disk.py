"""A disk of a few megabytes that can be full: a tmpfs that only PostgreSQL sees.

It is mounted in a user and mount namespace of its own, which needs no rights on the machine. A
process that sleeps holds the namespace, so that the disk outlives PostgreSQL.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from marketplace.development.children import stop_children, tied_to_us
from tests.services.postgresql import USER_NAMESPACE

SIZE = 64 * 1024 * 1024
TRIES = 50  # While others write to it.
MOUNT = 'mount -t tmpfs -o "size=$2,mode=700" faults "$1" && echo mounted && exec sleep infinity'
WHY_NOT = (
    "This machine lets nobody mount in a user namespace:"
    " sysctl -w kernel.unprivileged_userns_clone=1 allows it."
)


class SmallDisk:
    """`directory` is where PostgreSQL sees it. Start it from the main thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.holder: subprocess.Popen[bytes] | None = None

    def start(self) -> bool:
        """Whether this machine allows it."""
        self.directory.mkdir()
        namespaces = ["unshare", "-U", "-r", "-m", "--propagation", "private"]
        shell = ["sh", "-c", MOUNT, "sh", self.directory, str(SIZE)]
        try:
            self.holder = subprocess.Popen(
                tied_to_us([*namespaces, *(str(part) for part in shell)]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except FileNotFoundError:
            return False
        assert self.holder.stdout is not None
        is_mounted = self.holder.stdout.readline() == b"mounted\n"
        if not is_mounted:
            self.stop()
        return is_mounted

    def stop(self) -> None:
        if self.holder is None:
            return
        stop_children([self.holder], seconds=1)
        assert self.holder.stdout is not None
        self.holder.stdout.close()
        self.holder = None

    def enter(self) -> Sequence[str]:
        """What to put before a command so that it sees the disk, with rights to mount."""
        assert self.holder is not None
        flags = ("-U", "-m", "--preserve-credentials")
        return ("nsenter", "-t", str(self.holder.pid), *flags)

    def become_unprivileged(self) -> Sequence[str]:
        """The same without any rights, which is how PostgreSQL wants it."""
        return (*self.enter(), *USER_NAMESPACE)

    def fill(self) -> None:
        """Not a byte is left. What is there stays as it is."""
        assert self.holder is not None
        for _ in range(TRIES):
            seen = os.statvfs(f"/proc/{self.holder.pid}/root{self.directory}")
            if self._resize((seen.f_blocks - seen.f_bfree) * seen.f_frsize):
                return
        raise RuntimeError("What is on the disk grows faster than it is filled")

    def heal(self) -> None:
        if not self._resize(SIZE):
            raise RuntimeError("The disk cannot be made larger again")

    def _resize(self, size: int) -> bool:
        """Whether it could be: not to less than what has been written until this very moment."""
        command = [*self.enter(), "mount", "-o", f"remount,size={size}", str(self.directory)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
