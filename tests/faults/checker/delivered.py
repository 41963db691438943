"""I4: what sockets handed over, and what the tabs that were there at the end have."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.faults.checker.known import Known, short
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation, StoredMessage

MESSAGES = ("chat_message", "message_changed")
CONVERGED_SECONDS, LATE_SECONDS = 40.0, 5.0


@dataclass(slots=True)
class Line:
    """An open room connection, by the number of its operation. `cursor`: everything up to this
    revision is handed over; None before `ready` where nothing was asked to be replayed."""

    number: int
    who: str
    person: int
    conversation: str
    cursor: int | None


class Delivered:
    """I4 (promises 3 and 4): exactly once, in order, without gaps; and everybody has everything.

    On one room connection revisions only go up. When one comes, or a heartbeat, or `ready` names
    one, every change up to it that is still some message's latest has been handed over before,
    except the tab's own. (A change that was followed by another of the same message may have been
    read in its later form.) A heartbeat of an inbox promises nothing of that kind. What a frame
    shows at a message's latest revision is what is stored: a deleted text is not served.

    Every tab that is there at the end, in a conversation that is still its person's, holds exactly
    the stored messages, each once, in their latest state, and has a socket that is ready. That is
    written down 40 s after healing at the latest, and 5 s for a busy machine. Whoever had a room
    open when the end began has it then.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I4", "messages")
        self.lines: dict[int, Line] = {}
        self.finals = 0
        self._seated: dict[str, int] = {}  # Tabs that had a room, and whose they are.
        self._ended: set[str] = set()
        self._ended_at = 0.0
        self._seconds: list[float] = []  # From healing on, where that is told.

    # --- Connections ----------------------------------------------------------------------------

    def began_connect(self, operation: Operation) -> None:
        asked = operation.asked
        if asked.get("conversation"):
            place = (asked["person"], asked["conversation"])
            line = Line(operation.number, operation.who, *place, asked.get("after"))
            self.lines[operation.number] = line

    def ended_connect(self, operation: Operation) -> None:
        line = self.lines.get(operation.number)
        if line is None:
            return
        if operation.state == "fail":
            del self.lines[operation.number]
        if operation.state != "ok":
            return
        self._seated[line.who] = line.person
        if operation.answer.get("revision") is not None:
            if line.cursor is None:
                line.cursor = operation.answer["revision"]
            self._reach(line, operation.answer["revision"], "ready", operation.ended)

    def saw_close(self, seen: Seen) -> None:
        self.lines.pop(seen.value.get("connection", 0), None)

    # --- Frames ---------------------------------------------------------------------------------

    def saw_frame(self, seen: Seen) -> None:
        value = seen.value
        kind = value["type"]
        if kind in MESSAGES:
            self._compare_content(seen)
        line = self.lines.get(value.get("connection", 0))
        if line is None:
            return
        if kind == "heartbeat":
            self._reach(line, value["revision"], kind, seen.at)
        elif kind in MESSAGES:
            self._hand_over(line, value, seen.at)

    def _hand_over(self, line: Line, value: dict[str, Any], at: float) -> None:
        self.tally.count()
        revision = value["revision"]
        if line.cursor is None:
            line.cursor = revision
        elif revision <= line.cursor:
            self.tally.break_(
                f"{line.who} was told revision {revision} of {short(line.conversation)} after"
                f" {line.cursor}, at {at:.3f} s"
            )
        else:
            self._reach(line, revision - 1, f"revision {revision}", at)
            line.cursor = revision

    def _reach(self, line: Line, revision: int, before: str, at: float) -> None:
        """Everything up to `revision` must have been handed over by now."""
        cursor = line.cursor
        if cursor is None or revision <= cursor:
            return
        line.cursor = revision
        latest = self.known.by_revision.get(line.conversation, {})
        for missing in range(cursor + 1, revision + 1):
            self.tally.count()
            message = latest.get(missing)
            if message is not None and not self.known.is_own(message, line.number):
                self.tally.break_(
                    f"{line.who} was not told revision {missing} of {short(line.conversation)}"
                    f" (#{message.sequence}) before {before}, at {at:.3f} s"
                )

    def _compare_content(self, seen: Seen) -> None:
        value = seen.value
        stored = self.known.by_sequence.get(value["conversation"], {}).get(value["sequence"])
        self.tally.count()
        problem = compare_shown(stored, value["revision"], value["body"], value.get("deleted"))
        if problem:
            where = f"#{value['sequence']} of {short(value['conversation'])}"
            self.tally.break_(f"{seen.who} was told {where} at {seen.at:.3f} s: {problem}")

    # --- At the end -----------------------------------------------------------------------------

    def saw_final(self, seen: Seen) -> None:
        value = seen.value
        self._ended.add(seen.who)
        self.saw_final_inbox(seen)
        conversation = self.known.conversations.get(value["conversation"] or "")
        if conversation is None:
            return
        place = conversation.places.get(value["person"])
        if place is None or place.left:
            return
        self.finals += 1
        self.tally.count()
        is_ready = value.get("ready", True)
        problem = _compare_held(conversation, value["messages"]) if is_ready else "it has no socket"
        if problem:
            self.tally.break_(f"{seen.who} at the end in {short(conversation.id)}: {problem}")

    def saw_final_inbox(self, seen: Seen) -> None:
        self._ended_at = seen.at
        if "seconds" in seen.value:
            self._seconds.append(seen.value["seconds"])

    def finish(self) -> None:
        gone = self.known.standing.deactivated
        for who, person in self._seated.items() if self._ended else ():
            if who not in self._ended and person not in gone:
                self.tally.break_(f"{who}, who had a room open, is not there at the end")
        self.tally.note = f"{self.finals} tabs compared at the end{self._judge_seconds()}"
        if not self.finals:
            self.tally.checked = 0
            self.tally.note = "no tab was there at the end"

    def _judge_seconds(self) -> str:
        """Old histories only say when it was written down."""
        if self._seconds:
            seconds = max(self._seconds)
            self.tally.expect(
                seconds <= CONVERGED_SECONDS + LATE_SECONDS,
                f"what tabs have at the end was written down {seconds:.1f} s after healing",
            )
            return f", {seconds:.1f} s after healing"
        began = self.known.final_began
        if not began or not self.finals:
            return ""
        return f", {self._ended_at - began:.0f} s after the last healing began (not judged)"


def compare_shown(
    stored: StoredMessage | None, revision: int, body: str, deleted: bool | None
) -> str:
    """What is wrong with a message as somebody was shown it; empty when nothing is."""
    if stored is None:
        return "it is not stored"
    if revision > stored.revision:
        return f"revision {revision} is beyond the stored {stored.revision}"
    if revision == stored.revision:
        if deleted is not None and bool(deleted) != stored.deleted:
            return "it is deleted" if stored.deleted else "it is not deleted"
        if body != stored.body:
            return f"“{short(body)}” instead of “{short(stored.body)}”"
    return ""


def _compare_held(conversation: Conversation, held: list[list[Any]]) -> str:
    sequences = [row[0] for row in held]
    stored = {message.sequence: message for message in conversation.messages}
    missing = sorted(stored.keys() - set(sequences))
    if missing:
        return f"#{missing[0]} is missing, and {len(missing) - 1} more"
    if any(later <= earlier for earlier, later in pairwise(sequences)):
        return "messages are held twice or out of order"
    for sequence, revision, body, deleted in held:
        message = stored.get(sequence)
        if message is None:
            return f"#{sequence} is not stored"
        if revision != message.revision or body != message.body or deleted != message.deleted:
            return f"#{sequence} is held at revision {revision}, stored at {message.revision}"
    return ""
