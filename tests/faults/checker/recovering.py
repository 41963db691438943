"""I14: whether web processes come back."""

from collections.abc import Iterable

from tests.faults.checker.known import Fault, Known
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import HARMLESS

# They answer after 2 to 6 s where two cores serve everything else besides.
BACK_WITHIN, BACK_WITHIN_WHEN_BUSY = 20.0, 60.0
# What ends a web process and starts it as it was. One with another clock is not at ease.
ENDS = ("kill", "stop_politely", "failpoint")
EASY = (*HARMLESS, "cut")  # What makes no start slower.


class Returned:
    """I14: a web process that was killed, or asked to end, and is started while nothing else is
    hurt answers within 20 s; within 60 s on a machine that does something else besides."""

    def __init__(self, known: Known, *, is_busy: bool = False) -> None:
        self.known = known
        self.within = BACK_WITHIN_WHEN_BUSY if is_busy else BACK_WITHIN
        self.tally = Tally("I14", "return of web processes")

    def finish(self) -> None:
        for fault in self._list_lonely():
            if fault.back is not None:
                self.tally.expect(
                    fault.back <= self.within,
                    f"{fault.target}, started after a {fault.what} at {fault.began:.1f} s, did not"
                    f" answer within {self.within:.0f} s",
                )
        if not self.tally.checked:
            self.tally.note = "no web process was ended and left alone, or nothing says how long"

    def _list_lonely(self) -> Iterable[Fault]:
        """Ends of web processes while nothing else was hurt."""
        for fault in self.known.faults:
            is_web = fault.target.startswith("web") and "→" not in fault.target
            if is_web and fault.what in ENDS:
                others = self.known.overlapping(fault.began, fault.ended)
                if all(other is fault or other.what in EASY for other in others):
                    yield fault
