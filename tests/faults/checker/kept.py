"""I1: marks and blocks at the end."""

from math import inf

from tests.faults.checker.known import Known, short
from tests.faults.checker.standing import Switch
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation

FIELDS = {"archive": "archived", "star": "starred", "mute": "muted"}


class Kept:
    """I1: what was marked, blocked or taken back stays so. The last acknowledged archiving,
    starring, muting and blocking of each person, where nothing unanswered can have come after it,
    is what the database says; an archived conversation comes back with a message of the other side,
    and with whoever had left it.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I1", "marks and blocks")

    def finish(self) -> None:
        standing = self.known.standing
        for kind, switches in standing.marks.items():
            for person, key in switches.all:
                last = switches.last((person, key))
                if last is not None:
                    self._compare_mark(kind, person, key, last)
        for blocker, blocked in standing.blocks.all:
            last = standing.blocks.last((blocker, blocked))
            if last is not None:
                is_on = (blocker, blocked) in self.known.final.blocks
                done = "blocked" if last.on else "unblocked"
                self.tally.expect(
                    is_on == last.on,
                    f"{blocker} {done} {blocked} at {last.ended:.3f} s, which is lost",
                )

    def _compare_mark(self, kind: str, person: int, key: str, last: Switch) -> None:
        conversation = self.known.conversations.get(key)
        place = conversation.places.get(person) if conversation else None
        if conversation is None or place is None or place.left:
            return
        if kind == "archive" and last.on and self._may_be_undone(conversation, person, last):
            return
        is_on = getattr(place, FIELDS[kind])
        self.tally.expect(
            is_on == last.on,
            f"{person} set {kind} of {short(key)} to {last.on} at {last.ended:.3f} s, which is"
            " lost",
        )

    def _may_be_undone(self, conversation: Conversation, person: int, last: Switch) -> bool:
        """Whoever leaves and comes back finds it where they look first; so does everybody after a
        message of the other side."""
        standing = self.known.standing
        if standing.may_have_left(person, conversation.id, last.began, inf):
            return True
        return self._has_new(conversation, person, last)

    def _has_new(self, conversation: Conversation, person: int, last: Switch) -> bool:
        for message in conversation.messages:
            if message.sender == person:
                continue
            attempts = self.known.attempts.get(message.key or "")
            if attempts is None or attempts.first_ok >= last.began:
                return True
        return False
