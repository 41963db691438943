"""When something was hurt, joined over all faults of a kind, and what a fault is an excuse for."""

from bisect import bisect_left

from tests.faults.checker.known import Fault

# What a fault has broken may take this long to come back after its end.
AFTERMATH = 10.0
# What sending must not need, and what a socket needs nothing of to be told.
SPARE = ("redis", "mail", "worker", "beat")
BEHIND = ("mail", "worker", "beat")
HARMLESS = ("flood", "duplicates")


class Windows:
    """The times of faults, joined where they overlap."""

    def __init__(self, faults: list[Fault], *, after: float) -> None:
        self.starts: list[float] = []
        self.ends: list[float] = []
        for began, ended in sorted((fault.began, fault.ended + after) for fault in faults):
            if self.ends and began <= self.ends[-1]:
                self.ends[-1] = max(self.ends[-1], ended)
            else:
                self.starts.append(began)
                self.ends.append(ended)

    def touch(self, began: float, ended: float) -> bool:
        return self.end_of(began, ended) is not None

    def end_of(self, began: float, ended: float) -> float | None:
        """The end of the first of them that overlaps this time, if one does."""
        position = bisect_left(self.ends, began)
        if position < len(self.starts) and self.starts[position] <= ended:
            return self.ends[position]
        return None

    def put_off(self, at: float, limit: float) -> float:
        """Until when something may take that was due `limit` seconds after `at`: as long again
        after every one of them that it meets."""
        until = at + limit
        while (end := self.end_of(at, until)) is not None and end + limit > until:
            until = end + limit
        return until


def is_spare(fault: Fault) -> bool:
    """Whether nothing that sending needs is hurt by it."""
    if fault.what in HARMLESS:
        return True
    if fault.what in ("clock", "disk_full"):
        return False
    return fault.target.endswith("→redis") or fault.target.startswith(SPARE)


def hurts_telling(fault: Fault) -> bool:
    """Whether a socket may be told late because of it."""
    return fault.what not in HARMLESS and not fault.target.startswith(BEHIND)


def hurts_database(fault: Fault) -> bool:
    return "database" in fault.target or fault.what == "disk_full"
