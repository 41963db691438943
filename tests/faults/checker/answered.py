"""I2 and I14: refusals need a reason, of what is asked and of sockets, and processes end."""

from tests.faults.checker.known import Attempts, Known, short
from tests.faults.checker.reading import Operation
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import AFTERMATH, Windows, is_spare

# Nothing was asked: nobody was there, or the socket was known to be closed.
NEVER_ASKED = ("unreachable", "closed")
# Pages say it by their status.
PAGE_CODES = {"status 403": "forbidden", "status 404": "not_found"}
# The product's own limits (docs/protocol.md), less than what clocks and clients differ by.
EDIT_SECONDS, DELETE_SECONDS = 290.0, 890.0
FORBIDDEN = 403
MOST_REFUSED_WHEN_BUSY, MOST_LATE_WHEN_BUSY = 0.03, 0.25


class Refused:
    """I2: a retry of what is stored is answered, and nobody is refused for nothing. No attempt to
    send what had been acknowledged before is refused, for whatever reason but the end of the
    session. `forbidden` needs a block between the two or nobody on the other side, at that time, or
    for a change a deleted message, too late a moment, or a web process with a wrong clock while the
    message was stored or changed; `not_found` a stranger, or somebody who left, and is never said
    of a listing; `unauthenticated` the end of the session. Everything else (`conflict`, `invalid`,
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

    ended_edit = ended_delete = ended_read = ended_pull = ended_list = ended_page = _note
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
        wrong = (f for f in self.known.faults if f.what == "clock" and f.target.startswith("web"))
        self._clocks = Windows(list(wrong), after=0.0)
        for operation in self._refused:
            self.tally.count()
            code = str(operation.answer["code"])
            problem = self._explain(operation, PAGE_CODES.get(code, code))
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
        is_alone = standing.may_be_alone(conversation, person, *at)
        return "" if is_alone else "although nobody had blocked anybody"

    def _explain_start(self, operation: Operation) -> str:
        """Where it never began: whoever sells that elsewhere is meant, or anybody."""
        listing, person = operation.asked["listing"], operation.asked["person"]
        standing, at = self.known.standing, (operation.began, operation.ended)
        sellers = {
            place.user
            for conversation in self.known.conversations.values()
            for place in conversation.places.values()
            if conversation.listing == listing and place.role == "seller"
        }
        for seller in sellers or self.known.final.people:
            if seller in standing.deactivated and standing.deactivated[seller][0] <= at[1]:
                return ""
            if any(standing.may_block(pair, *at) for pair in ((person, seller), (seller, person))):
                return ""
        return "although nobody had blocked anybody"

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
        return age > limit or self._may_be_dated_wrong(operation, attempts)

    def _may_be_dated_wrong(self, operation: Operation, attempts: Attempts | None) -> bool:
        """Whether a web process ran by a wrong clock while the message was stored, or while it was
        looked at how old it is."""
        clocks = self._clocks
        if attempts and clocks.touch(attempts.first_began, min(attempts.first_ok, operation.ended)):
            return True
        return clocks.touch(operation.began, operation.ended)

    def _explain_absence(self, operation: Operation) -> str:
        asked = operation.asked
        key, person = asked.get("conversation", ""), asked.get("person", 0)
        if not key:  # A listing, a list, or somebody they have met: always there.
            return "although it is there"
        conversation = self.known.conversations.get(key)
        if conversation is None:
            return ""
        if person not in conversation.places:
            return ""
        began, ended = operation.began, operation.ended
        if self.known.standing.may_have_left(person, key, began, ended):
            return ""
        return f"although {person} takes part in {short(key)}"


class Sockets:
    """I14: handshakes are answered, and processes that are asked to end do. No handshake of
    somebody's own is refused, answered with an error inside or left without an answer, except when
    the database or a web process was hurt meanwhile or within 10 s before. A web process that is
    asked to end, with nothing else hurt, ends by itself in time. On a machine that does something
    else besides, 3 % of the handshakes may be refused, because the database may keep anybody
    waiting, and one process in four may take longer to end.
    """

    def __init__(self, known: Known, *, is_busy: bool = False) -> None:
        self.known = known
        self.most_refused = MOST_REFUSED_WHEN_BUSY if is_busy else 0.0
        self.most_late = MOST_LATE_WHEN_BUSY if is_busy else 0.0
        self.tally = Tally("I14", "handshakes and ends of processes")
        self._refused: list[Operation] = []
        self._stopped: list[Operation] = []
        self.opened = 0  # Sockets that were ready.

    def ended_connect(self, operation: Operation) -> None:
        self.tally.count()
        self.opened += operation.state == "ok"
        if operation.state == "fail":
            self._refused.append(operation)

    def ended_fault(self, operation: Operation) -> None:
        if operation.kind == "stop_politely" and "in_time" in operation.answer:
            self._stopped.append(operation)

    def finish(self) -> None:
        faults = self.known.faults
        harmful = Windows([fault for fault in faults if not is_spare(fault)], after=AFTERMATH)
        refused = [
            f"{operation.who}: a handshake at {operation.ended:.3f} s was"
            f" {describe_refusal(operation)}"
            for operation in self._refused
            if not harmful.touch(operation.began, operation.ended) and not self._may_be(operation)
        ]
        if refused:
            self.tally.note = f"for nothing {len(refused)} handshakes were refused"
        for problem in refused if len(refused) > self.most_refused * self.opened else []:
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
        if operation.answer.get("status") != FORBIDDEN:
            return False
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


def describe_refusal(operation: Operation) -> str:
    status = operation.answer.get("status")
    return "refused" if status == FORBIDDEN else f"answered with {status}" if status else "lost"
