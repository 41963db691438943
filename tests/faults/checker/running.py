"""I12 and I14: files, and whether people could send."""

from array import array
from math import inf

from tests.faults.checker.answering import Answers
from tests.faults.checker.known import Fault, Known
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import is_spare

CONTROL_P99_SECONDS = 0.250
LEAST_CONTROL_SENDS = 200
RECOVERS_WITHIN = 10.0


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


class Available(Answers):
    """I14 (promise 7): people can send.

    While nothing but Redis, mail, workers or beats is hurt, or people flood or send everything
    twice, no send fails and none is left without an answer, except by the sender's own going or the
    end of their session or of their part in the conversation. On a machine that does something else
    besides there may be 1 % of them while nothing is hurt, and no greater share while what sending
    does not need is, or 3 where that is more; but none is an error inside. The 10 s after a fault
    in anything else do not count. Within a minute of the last healing whatever anybody had left to
    send is sent or refused, and no process has ended by itself.
    """

    what = "sends"

    def __init__(self, known: Known, *, is_busy: bool = False) -> None:
        """`is_busy`: whether the machine did something else besides."""
        super().__init__(known, Tally("I14", "sends"), is_busy=is_busy)

    began_send = began_start = Answers._begin
    ended_send = ended_start = Answers._end

    def saw_late(self, seen: Seen) -> None:
        unsent = seen.value["unsent"]
        self.tally.expect(unsent == 0, f"{unsent} messages could not be sent after healing")

    def finish(self) -> None:
        self.judge_failed()
        for crash in self.known.outcome.get("crashes", ()):
            self.tally.break_(str(crash))


class Recovered:
    """I14: when the database was killed and nothing else is wrong, a send is acknowledged within
    10 s of its return."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I14", "return of the database")
        self._ok = array("d")

    def ended_send(self, operation: Operation) -> None:
        if operation.state == "ok":
            self._ok.append(operation.ended)

    ended_start = ended_send

    def finish(self) -> None:
        for fault in self.known.faults:
            if not self._can_tell(fault):
                continue
            until = fault.ended + RECOVERS_WITHIN
            self.tally.expect(
                any(fault.ended <= at <= until for at in self._ok),
                f"no send was acknowledged within {RECOVERS_WITHIN:.0f} s of {fault.ended:.1f} s,"
                " when the database was back",
            )
        if not self.tally.checked:
            self.tally.note = "the database was never killed and left alone after it"

    def _can_tell(self, fault: Fault) -> bool:
        if fault.what != "kill" or "database" not in fault.target or fault.ended == inf:
            return False
        until = fault.ended + RECOVERS_WITHIN
        others = self.known.overlapping(fault.ended, until)
        is_alone = all(other is fault or is_spare(other) for other in others)
        return is_alone and self.known.final.at >= until


class Quick:
    """I14: in the control phase, without faults, 99 of 100 sends take less than 250 ms, if there
    are enough to say so."""

    def __init__(self, known: Known, *, control_p99: float = CONTROL_P99_SECONDS) -> None:
        self.known, self.control_p99 = known, control_p99
        self.tally = Tally("I14", "speed without faults")
        self._took: list[float] = []

    def ended_send(self, operation: Operation) -> None:
        phases = self.known.phases
        if operation.state == "ok" and phases and phases[-1][1] == "control":
            self._took.append(operation.ended - operation.began)

    ended_start = ended_send

    def finish(self) -> None:
        count = len(self._took)
        if not count:
            return
        p99 = sorted(self._took)[int(count * 0.99)]
        self.tally.note = f"p99 of {count} sends without faults: {p99 * 1000:.0f} ms"
        if count < LEAST_CONTROL_SENDS:
            self.tally.note += " (too few to judge)"
            return
        self.tally.count(count)
        if p99 >= self.control_p99:
            self.tally.break_(f"99 of 100 sends without faults took up to {p99 * 1000:.0f} ms")
