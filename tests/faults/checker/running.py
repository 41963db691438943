"""I12–I14: files, what the processes cost, and whether people could send."""

from array import array
from math import inf

from tests.faults.checker.known import Known
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import AFTERMATH, Windows, is_spare

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
# What a postmaster has open says nothing: its backends are processes of their own.
NOT_COUNTED = ("database",)
CONTROL_P99_SECONDS = 0.250
LEAST_CONTROL_SENDS = 200
RECOVERS_WITHIN = 10.0
# Not the product's doing: who sent had gone, or was told to sign in, or it was their own fault.
UNAVAILABLE = (
    *("unavailable", "unreachable", "no answer", "ReadTimeout", "ReadError", "ConnectTimeout"),
    *("RemoteProtocolError", "WriteError", "WriteTimeout", "PoolTimeout"),
)
# An answer that a socket's end took away: a failure unless its own person or the end of a session
# took it.
CLOSED = "closed"
MOST_FAILED = 0.01
LONGEST_SEND = 60.0
SESSION_CODES = (4501, 4503)


class Files:
    """I12: a row has its file. There are no attachments in the product yet; a listing's photos are
    what there is."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I12")

    def finish(self) -> None:
        for photo in self.known.final.photos:
            self.tally.expect(photo.is_stored, f"the file of {photo.name} is not there")
        if not self.known.final.photos:
            self.tally.note = "not in the product yet: messages carry no files"


class Resources:
    """I13 (promise 6): no web process ever holds 300 MB, by its own peak; at the end, when
    everything is healed and the same tabs are there, every process holds as many descriptors as
    before the first fault (the web processes together, since tabs come back to either), and the
    database as many connections, but for 5 % and for what the configured pools may keep."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I13")
        self.highest = 0
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._is_hurt = self._has_peaks = False

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
        self._last = counts

    def began_fault(self, operation: Operation) -> None:
        self._is_hurt = True

    def finish(self) -> None:
        for name in sorted(self._first.keys() & self._last.keys()):
            first, last = self._first[name], self._last[name]
            self.tally.expect(
                last <= first * (1 + MOST_MORE) + POOLED.get(name, POOLED_BY_ONE),
                f"{name}: {first} at first, {last} at the end",
            )
        self.tally.note = f"the largest web process: {self.highest // MEGABYTE} MB"
        if self.tally.checked and not self._has_peaks:
            self.tally.note += " when it was looked at; peaks not checked"


class Available:
    """I14 (promise 7): people can send.

    While nothing but Redis, mail, workers or beats is hurt, or people flood or send everything
    twice, no send fails and none is left without an answer, except by the sender's own going or the
    end of their session. On a machine that does something else besides (and is asked for no speed)
    there may be 1 % of them while nothing is hurt, and no greater share while what sending does not
    need is. The 10 s after a fault in anything else do not count. When the database was killed and
    nothing else is wrong, a send is acknowledged within 10 s of its return. In the control phase,
    without faults, 99 of 100 sends take less than 250 ms, if there are enough to say so. Within a
    minute of the last healing whatever anybody had left to send is sent or refused, and no process
    has ended by itself.
    """

    def __init__(self, known: Known, *, control_p99: float | None = CONTROL_P99_SECONDS) -> None:
        self.known = known
        self.tally = Tally("I14", "sends")
        self.control_p99 = control_p99
        self._lines: dict[str, int] = {}
        self._own: dict[int, bool] = {}  # By connection: whether its own person ended it.
        self._is_told = False
        self._control: list[float] = []
        self._failed: list[Operation] = []
        self._began = array("d")
        self._ok = array("d")

    def saw_late(self, seen: Seen) -> None:
        unsent = seen.value["unsent"]
        self.tally.expect(unsent == 0, f"{unsent} messages could not be sent after healing")

    def began_connect(self, operation: Operation) -> None:
        self._lines[operation.who] = operation.number

    def saw_close(self, seen: Seen) -> None:
        own, code = seen.value.get("own"), int(seen.value.get("code") or 0)
        self._is_told = self._is_told or own is not None
        self._own[seen.value.get("connection", 0)] = bool(own) or code in SESSION_CODES

    def began_send(self, operation: Operation) -> None:
        operation.notes["socket"] = self._lines.get(operation.who, 0)

    def ended_send(self, operation: Operation) -> None:
        self._began.append(operation.began)
        if operation.state == "ok":
            self._ok.append(operation.ended)
            if self.known.phases and self.known.phases[-1][1] == "control":
                self._control.append(operation.ended - operation.began)
        elif self._is_failure(operation):
            self._failed.append(operation)

    began_start, ended_start = began_send, ended_send

    def _is_failure(self, operation: Operation) -> bool:
        code = str(operation.answer.get("code") or operation.answer.get("why") or "")
        if code == CLOSED:
            return operation.state == "unknown"
        return code in UNAVAILABLE or code.startswith("status 5")

    def _is_own_going(self, operation: Operation) -> bool:
        """Old histories do not say who closed a socket: then nothing is said of it either."""
        if operation.answer.get("why") != CLOSED:
            return False
        return not self._is_told or self._own.get(operation.notes["socket"], True)

    def finish(self) -> None:
        faults = self.known.faults
        harmful = Windows([fault for fault in faults if not is_spare(fault)], after=AFTERMATH)
        spare = Windows([fault for fault in faults if is_spare(fault)], after=0.0)
        calm = [at for at in self._began if not harmful.touch(at, at)]
        hindered = sum(spare.touch(at, at) for at in calm)
        failed: tuple[list[Operation], list[Operation]] = ([], [])
        for operation in self._failed:
            if self._is_own_going(operation):
                continue
            ended = min(operation.ended, operation.began + LONGEST_SEND)
            if not harmful.touch(operation.began, ended):
                failed[spare.touch(operation.began, ended)].append(operation)
        self.tally.count(len(calm))
        unhurt, is_quiet = len(calm) - hindered, self.control_p99 is not None
        quiet = len(failed[False]) / max(1, unhurt)
        most = 0.0 if is_quiet else MOST_FAILED
        self._judge_share(failed[False], quiet, most, "with nothing hurt")
        hindered = max(hindered, len(failed[True]))  # Some had begun before.
        share = len(failed[True]) / max(1, hindered)
        most = 0.0 if is_quiet else quiet
        self._judge_share(failed[True], share, most, "with nothing hurt that it needs")
        self.tally.note = (
            f"{len(failed[False])} of {unhurt} sends failed with nothing hurt ({quiet:.2%}),"
            f" {len(failed[True])} of {hindered} with nothing hurt that it needs ({share:.2%})"
        )
        if self._own and not self._is_told:
            self.tally.note += "; sends that a closed socket left unanswered were not checked"
        for crash in self.known.outcome.get("crashes", ()):
            self.tally.break_(str(crash))
        self._judge_recovery()
        self._judge_control()

    def _judge_share(self, failed: list[Operation], share: float, most: float, when: str) -> None:
        for operation in failed if share > most else ():
            why = operation.answer.get("code") or operation.answer.get("why")
            self.tally.break_(
                f"{operation.who}: a send begun at {operation.began:.3f} s: {why}, {when}"
            )

    def _judge_recovery(self) -> None:
        for fault in self.known.faults:
            if fault.what != "kill" or "database" not in fault.target or fault.ended == inf:
                continue
            others = self.known.overlapping(fault.ended, fault.ended + RECOVERS_WITHIN)
            if any(other is not fault and not is_spare(other) for other in others):
                continue
            until = fault.ended + RECOVERS_WITHIN
            if self.known.final.at < until:
                continue
            self.tally.expect(
                any(fault.ended <= at <= until for at in self._ok),
                f"no send was acknowledged within {RECOVERS_WITHIN:.0f} s of {fault.ended:.1f} s,"
                " when the database was back",
            )

    def _judge_control(self) -> None:
        if not self._control:
            return
        self._control.sort()
        p99, count = self._control[int(len(self._control) * 0.99)], len(self._control)
        self.tally.note += f"; p99 of {count} sends without faults: {p99 * 1000:.0f} ms"
        if self.control_p99 is None or count < LEAST_CONTROL_SENDS:
            self.tally.note += " (not judged)"
            return
        self.tally.expect(
            p99 < self.control_p99,
            f"99 of 100 sends without faults took up to {p99 * 1000:.0f} ms",
        )


def join_webs(descriptors: dict[str, int]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, count in descriptors.items():
        if name in NOT_COUNTED:
            continue
        together = "the web processes" if name.startswith("web") else name
        counts[together] = counts.get(together, 0) + count
    return counts
