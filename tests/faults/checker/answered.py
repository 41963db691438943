"""I2 and I14: refusals, and the ends of sockets, need a reason."""

from tests.faults.checker.known import Known, short
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import AFTERMATH, Windows, is_spare, may_end_sockets

# Nothing was asked: nobody was there, or the socket was known to be closed.
NEVER_ASKED = ("unreachable", "closed")
# The product's own limits (docs/protocol.md), less than what clocks and clients differ by.
EDIT_SECONDS, DELETE_SECONDS = 290.0, 890.0
INTERNAL_ERROR = 4411
FORBIDDEN = 403
MOST_REFUSED_WHEN_BUSY, MOST_LATE_WHEN_BUSY = 0.03, 0.25


class Refused:
    """I2: a retry of what is stored is answered, and nobody is refused for nothing. No attempt to
    send what had been acknowledged before is refused, for whatever reason but the end of the
    session. `forbidden` needs a block between the two, nobody on the other side, or for a change a
    deleted message or too late a moment; `not_found` a stranger, or somebody who left;
    `unauthenticated` the end of the session. Everything else (`conflict`, `invalid`,
    `rate_limited` …) never comes: nobody here asks for it.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I2", "refusals")
        self._refused: list[Operation] = []

    def _note(self, operation: Operation) -> None:
        code = operation.answer.get("code")
        if operation.state == "fail" and code and code not in NEVER_ASKED:
            self._refused.append(operation)

    ended_edit = ended_delete = ended_read = ended_pull = ended_list = _note
    ended_archive = ended_star = ended_mute = ended_block = ended_unblock = ended_leave = _note

    def began_send(self, operation: Operation) -> None:
        attempts = self.known.attempts[operation.asked["key"]]
        operation.notes["stored"] = attempts.done > 0

    def ended_send(self, operation: Operation) -> None:
        if operation.notes["stored"]:
            self.tally.count()
        self._note(operation)

    began_start, ended_start = began_send, ended_send

    def finish(self) -> None:
        self._clocks = any(fault.what == "clock" for fault in self.known.faults)
        for operation in self._refused:
            self.tally.count()
            problem = self._explain(operation, str(operation.answer["code"]))
            if problem:
                self.tally.break_(
                    f"{operation.who}: {operation.kind} at {operation.ended:.3f} s was refused:"
                    f" {operation.answer['code']}, {problem}"
                )

    def _explain(self, operation: Operation, code: str) -> str:
        """What is wrong with a refusal; empty when there is a reason for it."""
        if code == operation.asked.get("expects"):
            return ""
        if code == "unauthenticated":
            is_over = self.known.standing.may_be_over(operation)
            return "" if is_over else "in a session that nobody had ended"
        if operation.notes.get("stored"):
            return "although it was stored before"
        if code == "forbidden":
            return self._explain_forbidden(operation)
        if code == "not_found":
            return self._explain_absence(operation)
        return "which nobody can have caused"

    def _explain_forbidden(self, operation: Operation) -> str:
        asked, kind = operation.asked, operation.kind
        if kind in ("edit", "delete") and self._is_too_late(operation):
            return ""
        if kind == "start":
            return self._explain_start(operation)
        conversation = self.known.conversations.get(asked.get("conversation", ""))
        if conversation is None or kind not in ("send", "edit"):
            return "which nobody forbade"
        standing, person = self.known.standing, asked["person"]
        at = (operation.began, operation.ended)
        if standing.may_be_blocked(conversation, person, *at):
            return ""
        is_alone = standing.may_be_alone(conversation, person, operation.ended)
        return "" if is_alone else "although nobody had blocked anybody"

    def _explain_start(self, operation: Operation) -> str:
        """The conversation may never have begun: whoever sells it elsewhere is meant."""
        listing, person = operation.asked["listing"], operation.asked["person"]
        standing = self.known.standing
        sellers = {
            place.user
            for conversation in self.known.conversations.values()
            for place in conversation.places.values()
            if conversation.listing == listing and place.role == "seller"
        }
        for seller in sellers:
            if seller in standing.deactivated:
                return ""
            for pair in ((person, seller), (seller, person)):
                if standing.blocks.may_be_on(pair, operation.began, operation.ended):
                    return ""
        return "although nobody had blocked anybody" if sellers else ""

    def _is_too_late(self, operation: Operation) -> bool:
        asked = operation.asked
        key, sequence = asked["conversation"], asked["sequence"]
        changes = self.known.changes.get((key, sequence), ())
        deleted = {change.state for change in changes if change.kind == "delete"}
        if operation.kind == "edit" and deleted - {"fail"}:
            return True
        if "ok" in deleted:  # Once more is no refusal, however late.
            return False
        message = self.known.by_sequence.get(key, {}).get(sequence)
        attempts = self.known.attempts.get((message.key if message else None) or "")
        limit = EDIT_SECONDS if operation.kind == "edit" else DELETE_SECONDS
        age = operation.ended - attempts.first_began if attempts else 0.0
        return self._clocks or age > limit

    def _explain_absence(self, operation: Operation) -> str:
        asked = operation.asked
        key, person = asked.get("conversation", ""), asked.get("person", 0)
        conversation = self.known.conversations.get(key)
        if conversation is None:
            return "" if operation.kind not in ("block", "unblock") else "although they have met"
        if person not in conversation.places:
            return ""
        began, ended = operation.began, operation.ended
        if self.known.standing.may_have_left(person, key, began, ended):
            return ""
        return f"although {person} takes part in {short(key)}"


class Sockets:
    """I14: sockets end for a reason, and processes that are asked to end do. No socket that was
    ready is closed with 4411 (an error inside) except while the database is hurt, or a web process
    runs by a wrong clock, or within 10 s after; none is closed with it before it was ready, and no
    handshake of somebody's own is refused, except when the database or a web process was hurt
    meanwhile or within 10 s before. A web process that is asked to end, with nothing else hurt,
    ends by itself in time. On a machine that does something else besides, 3 % of the handshakes may
    be refused, because the database may keep anybody waiting, and one process in four may take
    longer to end; a 4411 is never for that.
    """

    def __init__(self, known: Known, *, is_busy: bool = False) -> None:
        self.known = known
        self.most_refused = MOST_REFUSED_WHEN_BUSY if is_busy else 0.0
        self.most_late = MOST_LATE_WHEN_BUSY if is_busy else 0.0
        self.tally = Tally("I14", "ends of sockets and processes")
        self._closed: list[tuple[str, float, float | None]] = []  # When it was begun, if not ready.
        self._begun: dict[int, float] = {}  # Those that were never ready.
        self._refused: list[Operation] = []
        self._stopped: list[Operation] = []
        self.opened = 0  # Sockets that were ready.

    def saw_close(self, seen: Seen) -> None:
        self.tally.count()
        if seen.value.get("code") == INTERNAL_ERROR:
            began = self._begun.get(seen.value.get("connection", 0))
            self._closed.append((seen.who, seen.at, began))

    def ended_connect(self, operation: Operation) -> None:
        self.opened += operation.state == "ok"
        if operation.state == "unknown":
            self._begun[operation.number] = operation.began
        if operation.state == "fail" and operation.answer.get("status") == FORBIDDEN:
            self._refused.append(operation)

    def ended_fault(self, operation: Operation) -> None:
        if operation.kind == "stop_politely" and "in_time" in operation.answer:
            self._stopped.append(operation)

    def finish(self) -> None:
        faults = self.known.faults
        hurt = Windows([fault for fault in faults if may_end_sockets(fault)], after=AFTERMATH)
        harmful = Windows([fault for fault in faults if not is_spare(fault)], after=AFTERMATH)
        broken = [
            f"{who} was closed with 4411 at {at:.3f} s"
            for who, at, began in self._closed
            if not (hurt.touch(at, at) if began is None else harmful.touch(began, at))
        ]
        self.tally.count(len(self._refused))
        refused = [
            f"{operation.who}: a handshake at {operation.ended:.3f} s was refused"
            for operation in self._refused
            if not harmful.touch(operation.began, operation.ended) and not self._may_be(operation)
        ]
        if broken or refused:
            self.tally.note = (
                f"for nothing {len(broken)} sockets were closed with 4411 and {len(refused)}"
                " handshakes refused"
            )
        for problem in broken + (refused if len(refused) > self.most_refused * self.opened else []):
            self.tally.break_(problem)
        self.tally.count(len(self._stopped))
        late = [
            f"{operation.asked.get('target')}, asked at {operation.began:.1f} s, did not end"
            for operation in self._stopped
            if operation.answer["in_time"] is False and self._is_alone(operation)
        ]
        for problem in late if len(late) > self.most_late * len(self._stopped) else ():
            self.tally.break_(problem)

    def _may_be(self, operation: Operation) -> bool:
        """Whether this person may have had no right to it any more."""
        asked, standing = operation.asked, self.known.standing
        began, ended = operation.began, operation.ended
        key, person = asked.get("conversation") or "", asked["person"]
        conversation = self.known.conversations.get(key)
        is_strange = bool(key) and (conversation is None or person not in conversation.places)
        has_left = standing.may_have_left(person, key, began, ended)
        return is_strange or has_left or standing.may_be_over(operation)

    def _is_alone(self, operation: Operation) -> bool:
        others = self.known.overlapping(operation.began - AFTERMATH, operation.ended)
        return all(other.what == "stop_politely" or is_spare(other) for other in others)
