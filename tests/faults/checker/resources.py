"""I13: what the processes cost."""

from statistics import median

from tests.faults.checker.known import Known
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import AFTERMATH, hurts_database, is_on_the_way

Counts = dict[str, int]
MEGABYTE = 1024 * 1024
MOST_MEMORY = 300 * MEGABYTE
MOST_MORE = 0.05
# A process that has served people keeps its pools, which are configured: of 20 connections to the
# database (DATABASE_POOL_SIZE) and 20 threads with one to the cache each in a web process, of 2 in
# a worker, of 10 to the broker in each of six programs. The servers hold the other end of them.
WEB_POOL, WORKER_POOL, BROKER_POOL = 20, 2, 10
POOLED = {
    "the web processes": 2 * (WEB_POOL + WEB_POOL),
    "redis": 2 * WEB_POOL + 6 * BROKER_POOL,
    "connections of the database": 2 * (WEB_POOL + WORKER_POOL),
}
POOLED_BY_ONE = 24
# A run with so many quiet moments has filled its pools in the first third of them.
LEAST_QUIET, A_FEW = 30, 8
# Who takes nothing for 10 s is cut, once the network and the server's own buffer are full of a few
# megabytes: after 14 to 21 s where a replay has hundreds of messages, long after where it has few.
SECONDS_TO_BE_CUT, LEAST_MESSAGES = 24.0, 200
SWITCHING_PROTOCOLS = 101
# What a postmaster has open says nothing: its backends are processes of their own.
NOT_COUNTED = ("database",)


class Resources:
    """I13 (promise 6): no web process ever holds 300 MB, by its own peak; and what is open does not
    grow. The descriptors of every process (the web processes together, since tabs come back to
    either) and the connections of the database are compared between quiet moments, when nothing is
    hurt and what was has healed: the last of them, with the same tabs there, has no more than the
    highest of the first third but for 5 % and 8, and the middle one of the last third no more than
    that highest but for 8. A run of fewer than 30 such moments has not filled its pools by then:
    its end is compared with the moment before the first fault, but for 5 % and for what the
    configured pools may keep. Who asks for 200 messages or more again and again and reads nothing,
    for 24 s in which nothing else befalls that web process, Redis or the database, is cut.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I13")
        self.highest = 0
        self._first: Counts = {}
        self._last: Counts = {}
        self._quiet: list[Counts] = []
        self._is_hurt = self._has_peaks = False
        self._unread: list[Operation] = []

    def saw_resources(self, seen: Seen) -> None:
        peaks = seen.value.get("peak") or {}
        self._has_peaks = self._has_peaks or bool(peaks)
        for name, size in [*seen.value["memory"].items(), *peaks.items()]:
            if name.startswith("web"):
                self.tally.count()
                self.highest = max(self.highest, size)
                if size > MOST_MEMORY:
                    self.tally.break_(f"{name} held {size // MEGABYTE} MB at {seen.at:.0f} s")
        counts = join_webs(seen.value["descriptors"])
        if "connections" in seen.value:
            counts["connections of the database"] = seen.value["connections"]
        if not self._is_hurt:
            self._first = self._first | counts  # The latest before the first fault.
        if not (self.known.phases and self.known.phases[-1][1] == "healing"):
            self._quiet.append(counts)  # What begins to heal is not looked at.
        self._last = counts

    def began_fault(self, operation: Operation) -> None:
        self._is_hurt = True

    def ended_fault(self, operation: Operation) -> None:
        told = operation.answer
        is_connected = operation.state == "ok" and told.get("status") == SWITCHING_PROTOCOLS
        is_enough = told.get("messages", 0) >= LEAST_MESSAGES
        if is_connected and is_enough and told.get("given", 0.0) >= SECONDS_TO_BE_CUT:
            self._unread.append(operation)

    def finish(self) -> None:
        if len(self._quiet) < LEAST_QUIET:
            self._compare_ends()
        else:
            self._compare_thirds()
        self.tally.note = f"the largest web process: {self.highest // MEGABYTE} MB"
        if self.tally.checked and not self._has_peaks:
            self.tally.note += " when it was looked at; peaks not checked"
        if self._quiet:
            too_few = ", too few to tell a trend" if len(self._quiet) < LEAST_QUIET else ""
            self.tally.note += f"; {len(self._quiet)} quiet moments{too_few}"
        self._judge_unread()

    def _judge_unread(self) -> None:
        alone = [operation for operation in self._unread if not self._is_disturbed(operation)]
        for operation in alone:
            self.tally.expect(
                operation.answer.get("seconds") is not None,
                f"{operation.asked['target']} asked from {operation.began:.1f} s on for"
                f" {operation.answer['given']:.0f} s without reading, and was not cut",
            )
        if self._unread:
            self.tally.note += f"; {len(alone)} of {len(self._unread)} who read nothing judged"

    def _is_disturbed(self, operation: Operation) -> bool:
        web = int(str(operation.asked["target"])[len("web")])
        return any(
            is_on_the_way(fault, web) and not fault.target.startswith("client")
            for fault in self.known.overlapping(operation.began - AFTERMATH, operation.ended)
            if fault.ended >= operation.began or hurts_database(fault)
        )

    def _compare_ends(self) -> None:
        for name in sorted(self._first.keys() & self._last.keys()):
            first, last = self._first[name], self._last[name]
            self.tally.expect(
                last <= first * (1 + MOST_MORE) + POOLED.get(name, POOLED_BY_ONE),
                f"{name}: {first} at first, {last} at the end",
            )

    def _compare_thirds(self) -> None:
        third = len(self._quiet) // 3
        for name in sorted(self._last):
            early, late = self._list(name, 0, third), self._list(name, -third, None)
            if not early or not late:
                continue
            most, last, middle = max(early), self._last[name], median(late)
            self.tally.expect(
                last <= most * (1 + MOST_MORE) + A_FEW,
                f"{name}: {most} at most in the first third, {last} at the end",
            )
            self.tally.expect(
                middle <= most + A_FEW,
                f"{name}: {most} at most in the first third, {middle:.0f} in the midst of the last",
            )

    def _list(self, name: str, first: int, end: int | None) -> list[int]:
        return [counts[name] for counts in self._quiet[first:end] if name in counts]


def join_webs(descriptors: dict[str, int]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, count in descriptors.items():
        if name in NOT_COUNTED:
            continue
        together = "the web processes" if name.startswith("web") else name
        counts[together] = counts.get(together, 0) + count
    return counts
