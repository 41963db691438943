"""I10: nothing after the end of a session."""

from math import inf

from tests.faults.checker.answered import NEVER_ASKED
from tests.faults.checker.known import Known
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.told_after import ToldAfter, Watch
from tests.faults.checker.verdicts import Tally

# What ends sessions, and what a report calls what is tried after it.
AFTER = {
    "log_out_all": "after a log-out",
    "change_password": "after a new password",
    "deactivate": "after a deactivation",
}
# Whoever these succeed for is shown something.
READING = ("pull", "list", "page", "connect")


class Ended:
    """I10 (promise 5): what is over is over.

    After `log_out_all` was acknowledged no operation of that person begun in a session of that
    number or an earlier one succeeds, reading and connecting included, unless it repeats what was
    stored before. The same goes for every session after an account was deactivated, and for those
    before the one in which somebody chose a new password. Each of the three is a part of its own,
    and an attempt is counted when somebody answered it. Connections of those sessions are told
    nothing later than 5 s after it; where a fault that can keep their web process from learning of
    it or them from being told overlaps those 5 s (one of the database: or ended within 10 s
    before), nothing later than 35 s after that fault; and as much later as the slowest send took
    that was under way in those 5 s.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tried = {kind: Tally("I10", part) for kind, part in AFTER.items()}
        sockets = Tally("I10", "sockets of ended sessions")
        self.tallies = [*self.tried.values(), sockets]
        self.told = ToldAfter(known, sockets)
        self._kinds: dict[tuple[int, float], str] = {}  # What ended, by whose and since when.
        # Whose, in which session, and of which web process.
        self._lines: dict[int, tuple[str, int, float, int | None]] = {}

    # --- Ends -----------------------------------------------------------------------------------

    def _watch(self, operation: Operation) -> None:
        """`known` has heard of the end before."""
        if operation.state != "ok":
            return
        self._kinds[operation.asked["person"], operation.ended] = operation.kind
        for number, (who, person, session, web) in self._lines.items():
            if person == operation.asked["person"]:
                over = self.known.standing.over_since(person, session, operation.ended)
                if over is not None:
                    self.told.begin(number, person, Watch(who, web, over))

    ended_log_out_all = ended_change_password = ended_deactivate = _watch

    # --- What is tried after it -----------------------------------------------------------------

    def _began(self, operation: Operation) -> None:
        asked = operation.asked
        session, at = asked.get("session", inf), operation.began
        operation.notes["over"] = self.known.standing.over_since(asked["person"], session, at)

    def _ended(self, operation: Operation) -> None:
        over = operation.notes["over"]
        if over is None or not is_answered(operation):
            return
        kind = self._kinds[operation.asked["person"], over]
        self.tried[kind].count()
        if operation.state == "ok" and not operation.answer.get("duplicate"):
            self.tried[kind].break_(
                f"{operation.who}: {operation.kind} begun at {operation.began:.3f} s was done, in a"
                f" session that was over at {over:.3f} s {AFTER[kind]}",
                misdelivers=operation.kind in READING,
            )

    began_send = began_start = began_edit = began_delete = _began
    ended_send = ended_start = ended_edit = ended_delete = _ended
    began_read = began_archive = began_star = began_mute = began_leave = _began
    ended_read = ended_archive = ended_star = ended_mute = ended_leave = _ended
    began_pull = began_list = began_page = began_block = began_unblock = _began
    ended_pull = ended_list = ended_page = ended_block = ended_unblock = _ended

    # --- What its sockets are told --------------------------------------------------------------

    def began_connect(self, operation: Operation) -> None:
        asked = operation.asked
        session = asked.get("session", inf)
        self._lines[operation.number] = (operation.who, asked["person"], session, asked.get("web"))
        self._began(operation)

    def ended_connect(self, operation: Operation) -> None:
        if operation.state == "fail":
            self._lines.pop(operation.number, None)
        self._ended(operation)

    def saw_close(self, seen: Seen) -> None:
        self._lines.pop(seen.value.get("connection", 0), None)

    def saw_frame(self, seen: Seen) -> None:
        number = seen.value.get("connection", 0)
        line = self._lines.get(number)
        if line is None:
            return
        who, person, session, web = line
        over = self.known.standing.over_since(person, session, seen.at)
        if over is not None:
            self.told.hear(number, person, Watch(who, web, over), seen.at)

    def finish(self) -> None:
        self.told.tally.note = self.told.finish()


def is_answered(operation: Operation) -> bool:
    """Whether anybody was there to say yes or no: else nothing is shown by it."""
    if operation.state != "fail":
        return operation.state == "ok"
    code, status = operation.answer.get("code"), operation.answer.get("status", -1)
    return code not in NEVER_ASKED and status != 0
