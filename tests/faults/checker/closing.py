"""I14: the codes with which sockets are closed."""

from collections.abc import Callable, Sequence
from functools import cached_property

from tests.faults.checker.closes import (
    NO_LONGER_PARTICIPANT,
    SESSION_ENDED,
    TOLD_WITHIN,
    Close,
    is_own_end,
)
from tests.faults.checker.known import Fault, Known
from tests.faults.checker.reading import Operation
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import (
    AFTERMATH,
    Windows,
    is_on_the_way,
    is_spare,
    may_end_sockets,
)

TOO_SLOW, INTERNAL_ERROR, RESTART, TRY_LATER, DISPLACED = 4408, 4411, 4412, 4413, 4430
OWN_CODES = (SESSION_ENDED, NO_LONGER_PARTICIPANT)
# Chosen by no application: lost, cut, or ended by the server below it.
LEAST_APPLICATION_CODE = 4000
CONNECTIONS_PER_PERSON = 20
RESTARTS = ("stop_politely", "clock", "failpoint")
STOPS_TAKING = ("blackhole", "slow", "swallow")
MOST_REFUSED_WHEN_BUSY = 0.03
Explains = Callable[[Fault, int | None], bool]


class Closed:
    """I14: sockets end for a reason. The page does not come back after some codes, so 4501 is told
    to those only whose session may have been ended by then, and 4503 to those who may have left
    that conversation or been taken out of it while the connection was open.

    4411 (an error inside) and 4413 (try later) come to a socket that was ready only while the
    database is hurt, or a web process runs by a wrong clock, 4413 also while its own process stands
    still; to one that was not ready yet while the database or any web process is hurt; 4412 (a
    restart) only from a web process that is being stopped; 4408 (too slow) only where the way to
    its own client takes nothing, or its process stands still; 4430 only to who has twenty others
    there. A socket that ends without any of these codes and not by its own person had its own way
    hurt. All this includes the 10 s after it. Other codes never come: nobody here floods, or sends
    what is no text. On a machine that does something else besides, 3 % of the sockets may be told
    to try later before they are ready, because the database may keep anybody waiting.
    """

    def __init__(self, known: Known, *, is_busy: bool = False) -> None:
        self.known = known
        self.most_refused = MOST_REFUSED_WHEN_BUSY if is_busy else 0.0
        self.tally = Tally("I14", "ends of sockets")
        self.opened = 0  # Sockets that were ready.
        self._windows: dict[tuple[Explains, int | None], Windows] = {}

    def ended_connect(self, operation: Operation) -> None:
        self.opened += operation.state == "ok"

    def finish(self) -> None:
        closes = self.known.closes.all
        self.tally.count(len(closes))
        broken = [close for close in closes if not self._has_reason(close)]
        waited = [close for close in broken if close.code == TRY_LATER and not close.was_ready]
        if len(waited) <= self.most_refused * self.opened:
            broken = [close for close in broken if close not in waited]
        for close in broken:
            what = close.code if close.code >= LEAST_APPLICATION_CODE else f"{close.code} (lost)"
            early = "" if close.was_ready else " before it was ready"
            self.tally.break_(f"{close.who} was closed with {what}{early} at {close.at:.3f} s")
        self._describe(broken)

    def _describe(self, broken: Sequence[Close]) -> None:
        codes = sorted({close.code for close in broken})
        counts = (f"{sum(c.code == code for c in broken)} with {code}" for code in codes)
        if broken:
            self.tally.note = f"{len(broken)} sockets were closed for nothing: {', '.join(counts)}"
        if self.known.closes.all and not self.known.closes.is_told:
            self.tally.note = "sockets that were lost were not checked: nothing says who ended them"

    # --- Reasons --------------------------------------------------------------------------------

    def _has_reason(self, close: Close) -> bool:
        if close.code in OWN_CODES:
            return is_own_end(self.known.standing, close)
        if close.code < LEAST_APPLICATION_CODE:
            # Old histories do not say who ended it: then nothing is said of it either.
            return close.own is not False or self._is_in(hurts_its_way, close)
        if close.code == DISPLACED:
            beside = self.known.closes.count_beside(close, TOLD_WITHIN)
            return beside > CONNECTIONS_PER_PERSON
        if close.code in (INTERNAL_ERROR, TRY_LATER) and not close.was_ready:
            return self.harmful.touch(close.began, close.at)
        explains = EXPLAINED.get(close.code)
        return explains is not None and self._is_in(explains, close)

    def _is_in(self, explains: Explains, close: Close) -> bool:
        """Whether it ended in the time of a fault that explains it."""
        began = close.at if close.was_ready else close.began
        key = (explains, close.web)
        if key not in self._windows:
            faults = [fault for fault in self.known.faults if explains(fault, close.web)]
            self._windows[key] = Windows(faults, after=AFTERMATH)
        return self._windows[key].touch(began, close.at)

    @cached_property
    def harmful(self) -> Windows:
        faults = [fault for fault in self.known.faults if not is_spare(fault)]
        return Windows(faults, after=AFTERMATH)


def breaks_inside(fault: Fault, web: int | None) -> bool:
    return may_end_sockets(fault) and is_on_the_way(fault, web)


def keeps_waiting(fault: Fault, web: int | None) -> bool:
    return breaks_inside(fault, web) or stands_still(fault, web)


def stands_still(fault: Fault, web: int | None) -> bool:
    is_web = fault.target.startswith("web") and "→" not in fault.target
    return fault.what == "pause" and is_web and is_on_the_way(fault, web)


def restarts(fault: Fault, web: int | None) -> bool:
    return fault.what in RESTARTS and is_on_the_way(fault, web) and fault.target.startswith("web")


def stops_taking(fault: Fault, web: int | None) -> bool:
    """Of the client, as the server sees it."""
    if stands_still(fault, web):
        return True
    is_client = fault.target.startswith("client")
    return fault.what in STOPS_TAKING and is_client and is_on_the_way(fault, web)


def hurts_its_way(fault: Fault, web: int | None) -> bool:
    """Where one process is made to die, people are sent over to it from the other one."""
    if fault.what == "failpoint" and fault.target.startswith("web"):
        return True
    return not is_spare(fault) and is_on_the_way(fault, web)


EXPLAINED: dict[int, Explains] = {
    INTERNAL_ERROR: breaks_inside,
    TRY_LATER: keeps_waiting,
    RESTART: restarts,
    TOO_SLOW: stops_taking,
}
