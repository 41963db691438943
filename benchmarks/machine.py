"""The machine under the measurements: its cores, and who used them. Linux only."""

import os
import platform
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Busy for others than ourselves, of all that the cores could do: above it a run says nothing.
DISTURBED_SHARE = 0.04


@dataclass(frozen=True)
class Cores:
    """The server has one to itself; databases and whoever loads it share the rest."""

    server: frozenset[int]
    others: frozenset[int]

    @property
    def are_shared(self) -> bool:
        return self.server == self.others

    @classmethod
    def of_this_machine(cls) -> "Cores":
        available = sorted(os.sched_getaffinity(0))
        first, rest = frozenset(available[:1]), frozenset(available[1:])
        return cls(server=first, others=rest or first)


@contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """This thread, and whatever it starts meanwhile, runs there only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_open_files() -> None:
    """Thousands of sockets on either side; what we start inherits it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def family_of(parent: int) -> list[int]:
    """The process and everything that it started, itself or not."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # It has ended meanwhile.
            continue
        parents[int(folder.name)] = int(fields[1])
    family = {parent}
    while more := {pid for pid, above in parents.items() if above in family} - family:
        family |= more
    return sorted(family)


def processor_seconds(pid: int) -> float:
    """What the process has used so far, with those it started, ended ones too."""
    return sum(_own_seconds(member) for member in family_of(pid))


def _own_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / TICKS


def memory_bytes(pid: int) -> int:
    """Resident, without what it shares with other processes."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(fields[1]) - int(fields[2])) * PAGE_BYTES


def busy_seconds() -> float:
    """Of all cores together, whoever it was for."""
    numbers = [int(part) for part in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    user, nice, system, _, _, interrupts, soft_interrupts, stolen = numbers[:8]
    return (user + nice + system + interrupts + soft_interrupts + stolen) / TICKS


@dataclass(frozen=True)
class Usage:
    """Seconds of processors in one measurement, by who used them."""

    seconds: float
    by_name: dict[str, float]
    others: float

    @property
    def is_disturbed(self) -> bool:
        cores = os.cpu_count() or 1
        return self.others > DISTURBED_SHARE * cores * self.seconds


class Watch:
    """From when it is made until `end`. `meters`: each gives the seconds that its name has used."""

    def __init__(self, meters: Mapping[str, Callable[[], float]]) -> None:
        self._meters = meters
        self._began, self._busy, self._used = time.perf_counter(), busy_seconds(), self._read()

    def _read(self) -> dict[str, float]:
        return {name: meter() for name, meter in self._meters.items()}

    def end(self) -> Usage:
        used = {name: now - self._used[name] for name, now in self._read().items()}
        others = busy_seconds() - self._busy - sum(used.values())
        return Usage(time.perf_counter() - self._began, used, max(others, 0.0))


def describe() -> dict[str, str]:
    cores = Cores.of_this_machine()
    return {
        "processor": _processor_name(),
        "cores": str(len(cores.server | cores.others)),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * PAGE_BYTES / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().split("\n"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
