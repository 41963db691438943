"""I14: whether what people ask for is answered, sends and everything else."""

from array import array

from tests.faults.checker.closes import is_own_end
from tests.faults.checker.known import Known
from tests.faults.checker.reading import Operation
from tests.faults.checker.touches import NO_ANSWER_EXPECTED
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import AFTERMATH, Windows, is_spare

# Nobody was there to be asked.
UNREACHABLE = ("unavailable", "unreachable")
# An answer that a socket's end took away: a failure unless its own person or the end of a session
# took it.
CLOSED = "closed"
# The second half of a log-out of all may be refused because the first was enough.
REFUSALS = ("unauthenticated", "forbidden", "not_found")
MOST_FAILED = 0.01
FEW_FAILED = 3  # So many say nothing of a share, on a machine that does something else besides.
LONGEST = 60.0


class Answers:
    """What was asked for, and what of it got no answer or an error inside. Subclasses say by the
    names of their methods what they listen to."""

    what = ""

    def __init__(self, known: Known, tally: Tally, *, is_busy: bool) -> None:
        self.known, self.tally, self.is_busy = known, tally, is_busy
        self._lines: dict[str, int] = {}
        self._failed: list[Operation] = []
        self._began = array("d")

    def began_connect(self, operation: Operation) -> None:
        self._lines[operation.who] = operation.number

    def _begin(self, operation: Operation) -> None:
        operation.notes[self.what] = self._lines.get(operation.who, 0)

    def _end(self, operation: Operation) -> None:
        self._began.append(operation.began)
        if is_failure(operation):
            self._failed.append(operation)

    def _is_own_going(self, operation: Operation) -> bool:
        """Old histories do not say who closed a socket: then nothing is said of it either."""
        if operation.answer.get("why") != CLOSED:
            return False
        close = self.known.closes.find(operation.notes[self.what])
        if close is None or not self.known.closes.is_told:
            return True
        return bool(close.own) or is_own_end(self.known.standing, close)

    def judge_failed(self) -> None:
        faults = self.known.faults
        harmful = Windows([fault for fault in faults if not is_spare(fault)], after=AFTERMATH)
        spare = Windows([fault for fault in faults if is_spare(fault)], after=0.0)
        calm = [at for at in self._began if not harmful.touch(at, at)]
        hindered = sum(spare.touch(at, at) for at in calm)
        failed: tuple[list[Operation], list[Operation]] = ([], [])
        for operation in self._failed:
            if self._is_own_going(operation):
                continue
            ended = min(operation.ended, operation.began + LONGEST)
            if not harmful.touch(operation.began, ended):
                failed[spare.touch(operation.began, ended)].append(operation)
        self.tally.count(len(calm))
        unhurt = len(calm) - hindered
        quiet = len(failed[False]) / max(1, unhurt)
        self._judge_share(failed[False], unhurt * MOST_FAILED, "with nothing hurt")
        hindered = max(hindered, len(failed[True]))  # Some had begun before.
        share = len(failed[True]) / max(1, hindered)
        self._judge_share(failed[True], hindered * quiet, "with nothing hurt that it needs")
        self.tally.note = (
            f"{len(failed[False])} of {unhurt} {self.what} failed with nothing hurt ({quiet:.2%}),"
            f" {len(failed[True])} of {hindered} with nothing hurt that they need ({share:.2%})"
        )
        if self.known.closes.all and not self.known.closes.is_told:
            self.tally.note += f"; {self.what} that a closed socket left unanswered not checked"

    def _judge_share(self, failed: list[Operation], load: float, when: str) -> None:
        """`load`: how many of them a busy machine may be the reason for."""
        inside = [each for each in failed if read_reason(each).startswith("status 5")]
        most = max(load, FEW_FAILED) if self.is_busy else 0.0
        for operation in failed if len(failed) > most else inside:
            self.tally.break_(
                f"{operation.who}: a {operation.kind} begun at {operation.began:.3f} s:"
                f" {read_reason(operation)}, {when}"
            )


class Served(Answers):
    """I14: everything else is served as sends are. While nothing but what sending does not need is
    hurt, no page or mark asked for over HTTP, and no edit or deletion over either door, is left
    without an answer or answered with an error inside or `unavailable`, with the same allowance for
    a machine that does something else besides.
    """

    what = "other requests"

    def __init__(self, known: Known, *, is_busy: bool = False) -> None:
        super().__init__(known, Tally("I14", "everything else asked for"), is_busy=is_busy)

    began_page = began_pull = began_list = began_read = began_edit = began_delete = Answers._begin
    ended_page = ended_pull = ended_list = ended_read = ended_edit = ended_delete = Answers._end
    began_archive = began_star = began_mute = began_leave = Answers._begin
    ended_archive = ended_star = ended_mute = ended_leave = Answers._end
    began_block = began_unblock = began_log_out_all = Answers._begin
    ended_block = ended_unblock = ended_log_out_all = Answers._end

    def finish(self) -> None:
        self.judge_failed()


def is_failure(operation: Operation) -> bool:
    """Of nobody's right or will: no answer, or an error inside. What was never answered because the
    history ends says nothing."""
    code = read_reason(operation)
    if operation.state == "fail":
        return code in UNREACHABLE or code.startswith("status 5")
    if operation.state != "unknown" or code in ("", NO_ANSWER_EXPECTED):
        return False
    return code not in REFUSALS


def read_reason(operation: Operation) -> str:
    """Why it was not done, or not answered."""
    return str(operation.answer.get("code") or operation.answer.get("why") or "")
