"""I12 and I14: files, and whether people could send."""

from array import array
from math import inf

from tests.faults.checker.known import Known
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import AFTERMATH, Windows, is_spare

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
FEW_FAILED = 3  # So many say nothing of a share, on a machine that does something else besides.
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


class Available:
    """I14 (promise 7): people can send.

    While nothing but Redis, mail, workers or beats is hurt, or people flood or send everything
    twice, no send fails and none is left without an answer, except by the sender's own going or the
    end of their session. On a machine that does something else besides there may be 1 % of them
    while nothing is hurt, and no greater share while what sending does not need is, or 3 where that
    is more; but none is an error inside. The 10 s after a fault in anything else do not count. When
    the database was killed and nothing else is wrong, a send is acknowledged within 10 s of its
    return. In the control phase, without faults, 99 of 100 sends take less than 250 ms, if there
    are enough to say so. Within a minute of the last healing whatever anybody had left to send is
    sent or refused, and no process has ended by itself.
    """

    def __init__(
        self,
        known: Known,
        *,
        control_p99: float | None = CONTROL_P99_SECONDS,
        is_busy: bool = False,
    ) -> None:
        """`control_p99`: None where nothing is asked of speed. `is_busy`: whether the machine did
        something else besides."""
        self.known = known
        self.tally = Tally("I14", "sends")
        self.control_p99, self.is_busy = control_p99, is_busy
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
        code = read_reason(operation)
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
        unhurt = len(calm) - hindered
        quiet = len(failed[False]) / max(1, unhurt)
        self._judge_failed(failed[False], unhurt * MOST_FAILED, "with nothing hurt")
        hindered = max(hindered, len(failed[True]))  # Some had begun before.
        share = len(failed[True]) / max(1, hindered)
        self._judge_failed(failed[True], hindered * quiet, "with nothing hurt that it needs")
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

    def _judge_failed(self, failed: list[Operation], load: float, when: str) -> None:
        """`load`: how many of them a busy machine may be the reason for."""
        inside = [each for each in failed if read_reason(each).startswith("status 5")]
        most = max(load, FEW_FAILED) if self.is_busy else 0.0
        for operation in failed if len(failed) > most else inside:
            self.tally.break_(
                f"{operation.who}: a send begun at {operation.began:.3f} s:"
                f" {read_reason(operation)}, {when}"
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


def read_reason(operation: Operation) -> str:
    """Why it was not done, or not answered."""
    return str(operation.answer.get("code") or operation.answer.get("why") or "")
