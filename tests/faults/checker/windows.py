"""When something was hurt, joined over all faults of a kind, and what a fault is an excuse for."""

import re
from bisect import bisect_left
from collections.abc import Iterable

from tests.faults.checker.known import INSTANT, Fault

# What a fault has broken may take this long to come back after its end.
AFTERMATH = 10.0
# What sending must not need, and what a socket needs nothing of to be told.
SPARE = ("redis", "mail", "worker", "beat")
BEHIND = ("mail", "worker", "beat")
HARMLESS = ("flood", "duplicates")


def join(spans: Iterable[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """When those begin and end that are left when all that overlap are made one."""
    starts: list[float] = []
    ends: list[float] = []
    for began, ended in sorted(spans):
        if ends and began <= ends[-1]:
            ends[-1] = max(ends[-1], ended)
        else:
            starts.append(began)
            ends.append(ended)
    return starts, ends


class Windows:
    """The times of faults, joined where they overlap."""

    def __init__(self, faults: list[Fault], *, after: float) -> None:
        self.starts, self.ends = join((fault.began, fault.ended + after) for fault in faults)

    def touch(self, began: float, ended: float) -> bool:
        return self.end_of(began, ended) is not None

    def end_of(self, began: float, ended: float) -> float | None:
        """The end of the first of them that overlaps this time, if one does."""
        position = bisect_left(self.ends, began)
        if position < len(self.starts) and self.starts[position] <= ended:
            return self.ends[position]
        return None


class Way:
    """What befell the way by which sockets at one web process are told. `hurt`: when each fault
    began and ended, and from when on nothing of it is left."""

    def __init__(self, faults: Iterable[Fault], web: int | None) -> None:
        self.hurt = sorted(
            (fault.began, fault.ended, fault.ended + seconds_to_recover(fault))
            for fault in faults
            if is_on_the_way(fault, web)
        )

    def put_off(self, at: float, limit: float) -> float:
        """Until when something may take that was due `limit` seconds after `at`: as long again
        after a fault that it met before it was due. What began after that excuses nothing."""
        until = due = at + limit
        for began, ended, over in self.hurt:
            if began > due:
                break
            if over >= at:
                until, due = max(until, over + limit), max(due, ended + limit)
        return until

    def share_excused(self, began: float, ended: float, limit: float) -> float:
        """In what part of this time something might have come late."""
        excused = join((start, over + limit) for start, _, over in self.hurt)
        spans = zip(*excused, strict=True)
        covered = sum(max(0.0, min(end, ended) - max(start, began)) for start, end in spans)
        return covered / (ended - began) if ended > began else 0.0


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


def is_on_the_way(fault: Fault, web: int | None) -> bool:
    """Whether what is told at this web process comes by there: of the web processes and the lines
    to and from them only its own. None where it is not known which one it was."""
    if not hurts_telling(fault):
        return False
    named = re.search(r"web(\d)", fault.target)
    return named is None or web is None or int(named[1]) == web


def seconds_to_recover(fault: Fault) -> float:
    """For how long after its end it may go on hurting. A cut leaves the way to the database whole,
    and whoever is told of the layer's return is told by the next heartbeat."""
    return AFTERMATH if hurts_database(fault) and fault.what not in INSTANT else 0.0


def may_end_sockets(fault: Fault) -> bool:
    """Whether an error inside may be its doing: what runs by a wrong clock may find everything too
    late, the database's answers as well."""
    return hurts_database(fault) or (fault.what == "clock" and fault.target.startswith("web"))


def hurts_database(fault: Fault) -> bool:
    return "database" in fault.target or fault.what == "disk_full"
