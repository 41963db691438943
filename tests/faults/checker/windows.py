"""When something was hurt, joined over all faults of a kind, and what a fault is an excuse for."""

import re
from bisect import bisect_left
from collections.abc import Iterable

from tests.faults.checker.known import Fault

# What a fault has broken may take this long to come back after its end.
AFTERMATH = 10.0
# What sending must not need, and what a socket needs nothing of to be told.
SPARE = ("redis", "mail", "worker", "beat")
BEHIND = ("mail", "worker", "beat")
HARMLESS = ("flood", "duplicates")
# A line that swallowed a reply is cut 0.2 s later.
CUTS = ("cut", "client_kill", "flush", "swallow")


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
    """What befell the way by which sockets at one web process are told: when it was hurt, from the
    beginning of a fault until nothing of it is left, joined where that overlaps."""

    def __init__(self, faults: Iterable[Fault], web: int | None) -> None:
        self.starts, self.ends = join(
            (fault.began, fault.ended + seconds_to_recover(fault))
            for fault in faults
            if puts_off(fault, web)
        )

    def put_off(self, at: float, limit: float) -> float:
        """Until when something may take that was due `limit` seconds after `at`: as long again
        after the end of what hurt the way before it was due. What begins after that excuses
        nothing, unless the way was still hurt when it began."""
        until = at + limit
        for position in range(bisect_left(self.ends, at), len(self.starts)):
            if self.starts[position] > at + limit:
                break
            until = max(until, self.ends[position] + limit)
        return until

    @property
    def longest(self) -> float:
        """For how long it was hurt without a break, at most."""
        spans = zip(self.starts, self.ends, strict=True)
        return max((ended - began for began, ended in spans), default=0.0)

    def share_excused(self, began: float, ended: float, limit: float) -> float:
        """In what part of this time something might have come late."""
        spans = zip(self.starts, self.ends, strict=True)
        excused = zip(*join((start, over + limit) for start, over in spans), strict=True)
        covered = sum(max(0.0, min(end, ended) - max(start, began)) for start, end in excused)
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


def puts_off(fault: Fault, web: int | None) -> bool:
    """Whether a socket at this web process that stays open may be told late because of it. What
    cuts lines, at once or when it has swallowed a reply, ends those that it meets: a socket that is
    still there was not met. What the layer loses by it the next heartbeat brings, which needs the
    database and nothing else; but that may be lost by it itself."""
    if fault.what in CUTS and not hurts_database(fault):
        return False
    return is_on_the_way(fault, web)


def seconds_to_recover(fault: Fault) -> float:
    """For how long after its end it may go on hurting. A cut leaves the way to the database whole,
    and whoever is told of the layer's return is told by the next heartbeat."""
    return AFTERMATH if hurts_database(fault) and fault.what not in CUTS else 0.0


def may_end_sockets(fault: Fault) -> bool:
    """Whether an error inside may be its doing: what runs by a wrong clock may find everything too
    late, the database's answers as well."""
    return hurts_database(fault) or (fault.what == "clock" and fault.target.startswith("web"))


def hurts_database(fault: Fault) -> bool:
    return "database" in fault.target or fault.what == "disk_full"
