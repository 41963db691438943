"""The children write to files; what sounds like trouble is shown as well."""

import os
import re
import select
import sys
from pathlib import Path

TROUBLE = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|^Traceback \(most recent call last\)")
# What is none: Valkey fears for snapshots, of which it makes none here; the web server has not
# been ready yet; and a page or a person was refused something, as Django notes it.
NO_TROUBLE = re.compile(
    r"Memory overcommit must be enabled|Unavailable: /health/ready/|WARNING +[A-Z][A-Za-z ]+: /"
)
MOST_AT_ONCE = 1 << 20
LONGEST_LINE = 4000  # Bytes; a pipe that is ready takes this much without waiting.


def say(line: str) -> None:
    """Show a line, or leave it out when nobody reads what we show: never wait for that."""
    output = sys.stdout.fileno()
    if select.select([], [output], [], 0)[1]:
        os.write(output, line.encode(errors="replace")[:LONGEST_LINE] + b"\n")


class LogFollower:
    """Reads what was added to a log file since it last looked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.in_traceback = False
        self.rest = ""

    def start_anew(self) -> None:
        """Keeps the log of the run before as `<name>.1`."""
        if self.path.exists():
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        self.path.touch()

    def read_trouble(self) -> list[str]:
        """The new lines with warnings and errors, tracebacks in full."""
        return [line for line in self.read_lines() if self.is_trouble(line)]

    def read_lines(self) -> list[str]:
        with self.path.open("rb") as log:
            log.seek(self.offset)
            added = log.read(MOST_AT_ONCE)
        self.offset += len(added)
        *lines, self.rest = (self.rest + added.decode(errors="replace")).split("\n")
        return lines

    def is_trouble(self, line: str) -> bool:
        if self.in_traceback:
            # It ends with the first line that is not indented: the exception itself.
            self.in_traceback = line.startswith((" ", "Traceback")) or not line
            return True
        trouble = bool(TROUBLE.search(line)) and not NO_TROUBLE.search(line)
        self.in_traceback = trouble and line.startswith("Traceback")
        return trouble

    def last_lines(self, count: int) -> list[str]:
        return self.path.read_text(errors="replace").splitlines()[-count:]
