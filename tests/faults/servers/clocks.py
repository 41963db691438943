"""Clocks that are wrong in one process only: libfaketime, told by a file what to add.

Never the machine's clock. Only what time of day it is jumps; what measures durations does not.
"""

from pathlib import Path

PLACES = (
    "/usr/lib/*/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
)
SLEEPING = Path(__file__).parent / "wrong_clock"
WHY_NOT = "libfaketime is missing: apt-get install libfaketime brings it."


class Clocks:
    """One file for each process that was started with `environment`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.library = find_library()

    def environment(self, name: str) -> dict[str, str]:
        """For starting a process whose clock can be set while it runs."""
        assert self.library is not None, WHY_NOT
        self.set(name, 0)
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file(name)),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": str(SLEEPING),
        }

    def set(self, name: str, seconds: int) -> None:
        """So many seconds ahead, or behind; seen within a second."""
        draft = self.file(name).with_suffix(".draft")
        draft.write_text(f"{seconds:+d}\n")
        draft.replace(self.file(name))

    def reach(self, pid: int) -> bool:
        """Whether this process is told the time by them: the library is in it."""
        try:
            return str(self.library) in Path(f"/proc/{pid}/maps").read_text()
        except OSError:
            return False

    def heal(self) -> None:
        for file in self.directory.glob("*.clock"):
            self.set(file.stem, 0)

    def file(self, name: str) -> Path:
        return self.directory / f"{name}.clock"


def find_library() -> Path | None:
    root = Path("/")
    found = (path for place in PLACES for path in root.glob(place.lstrip("/")))
    return next(found, None)
