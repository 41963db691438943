"""Whether a socket is told anything when its right to be told has ended."""

from collections.abc import Hashable
from dataclasses import dataclass
from math import inf

from tests.faults.checker.known import Known
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import is_on_the_way, seconds_to_recover

WITHIN = 5.0
WITHIN_WHEN_HURT = 35.0


@dataclass(slots=True)
class Watch:
    """One socket, of one web process where that is told. `over`: since when it has no right;
    `until`: when it got one again; `last`: when it was told something last."""

    what: str
    web: int | None
    over: float
    until: float = inf
    last: float = 0.0


class ToldAfter:
    """Nothing later than 5 s after the end. Where its own way was hurt in those, or was still
    coming back (`windows.is_on_the_way`): nothing later than 35 s after that fault. On a machine
    that is too busy to answer, as much later as the slowest send took that was under way then."""

    def __init__(self, known: Known, tally: Tally) -> None:
        self.known, self.tally = known, tally
        self._watched: dict[tuple[Hashable, Hashable, float], Watch] = {}

    def begin(self, socket: Hashable, right: Hashable, watch: Watch) -> Watch:
        """`right`: what it has lost, which `end` gives back."""
        return self._watched.setdefault((socket, right, watch.over), watch)

    def end(self, right: Hashable, over: float, at: float) -> None:
        for (_, lost, since), watch in self._watched.items():
            if (lost, since) == (right, over):
                watch.until = at

    def hear(self, socket: Hashable, right: Hashable, watch: Watch, at: float) -> None:
        self.begin(socket, right, watch).last = at

    def finish(self) -> str:
        """What a reader should know."""
        judged = {WITHIN: 0, WITHIN_WHEN_HURT: 0}
        too_short, slowest = 0, 0.0
        for watch in self._watched.values():
            hurt = self._find_hurt(watch)
            within = WITHIN_WHEN_HURT if hurt is not None else WITHIN
            slow = self._find_slowest(watch.over)
            allowed = (watch.over if hurt is None else hurt) + within + slow
            if watch.until <= allowed:
                too_short += 1
                continue
            judged[within] += 1
            slowest = max(slowest, slow)
            self.tally.count()
            if watch.last > allowed:
                self.tally.break_(
                    f"{watch.what} was told something at {watch.last:.3f} s,"
                    f" {watch.last - watch.over:.1f} s after the end of their right to it",
                    misdelivers=True,
                )
        note = f"{judged[WITHIN]} sockets judged at {WITHIN:.0f} s"
        note += f" and {judged[WITHIN_WHEN_HURT]} at {WITHIN_WHEN_HURT:.0f} s after a fault"
        if slowest:
            note += f", up to {slowest:.0f} s more where answers took as long"
        return note + (f", {too_short} had their right again before" if too_short else "")

    def _find_slowest(self, over: float) -> float:
        slow = self.known.slow
        times = [end - began for began, end in slow if began <= over + WITHIN and end >= over]
        return max(times, default=0.0)

    def _find_hurt(self, watch: Watch) -> float | None:
        """The end of the last fault that is an excuse."""
        over = watch.over
        ends = [
            fault.ended
            for fault in self.known.faults
            if fault.began <= over + WITHIN
            and fault.ended + seconds_to_recover(fault) >= over
            and is_on_the_way(fault, watch.web)
        ]
        return max(over, *ends) if ends else None
