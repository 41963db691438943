"""I2 and I10: which attempt can have stored what is stored, and whether it was allowed to."""

from collections.abc import Iterable
from functools import cached_property

from tests.faults.checker.known import Attempt, Attempts, Change, Known, short
from tests.faults.checker.touches import UNANSWERED_SECONDS
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import AFTERMATH, Windows, hurts_database
from tests.faults.final_state import Conversation, StoredMessage


class Storers:
    """`duplicate` says that an earlier attempt stored it, so whoever was told so did not; unless
    the database was hurt meanwhile: a process that lost the answer to a COMMIT tries once more by
    itself, and finds what it has just stored."""

    def __init__(self, known: Known) -> None:
        self.known = known

    @cached_property
    def hurt(self) -> Windows:
        faults = [fault for fault in self.known.faults if hurts_database(fault)]
        return Windows(faults, after=AFTERMATH)

    def find(self, attempts: Attempts) -> list[Attempt]:
        """Those of all its attempts that can have stored a message."""
        return [attempt for attempt in attempts.all if self.can_have_stored(attempt)]

    def can_have_stored(self, attempt: Attempt) -> bool:
        if attempt.state == "fail":
            return False
        return not attempt.duplicate or self.hurt.touch(attempt.began, attempt.ended)

    def latest(self, attempt: Attempt, conversation: str, revision: int) -> float:
        """By when this attempt had made this revision, if it did: before its own answer, before a
        request that nobody answered is over, and before anybody was told."""
        own = attempt.ended
        if attempt.state != "ok":
            own = min(own, attempt.began + UNANSWERED_SECONDS) + UNANSWERED_SECONDS
        told = self.known.sightings.by(conversation, revision)
        return own if told is None else min(own, told)


class NotAllowed:
    """I10: who may not write has stored nothing, whether or not they were told that they had. For
    every message and every change that is stored there is an attempt that can have made it: begun
    in a session that was not over, while neither of the two was known to have blocked the other (to
    take something back is not to write) and its person had not left; or not answered, and not known
    to have been there before it was allowed again. To be told that it repeats what was stored
    before is no excuse for the first one of them.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I10", "what was stored")
        self.storers = Storers(known)

    def finish(self) -> None:
        for key, attempts in self.known.attempts.items():
            message = self.known.by_key.get((attempts.person, key))
            place = message.conversation if message else attempts.conversation or attempts.place
            revision = message.created_revision if message else 0
            found = self.storers.find(attempts) if message else []
            self._judge(attempts.all, found, place, revision, f"“{short(attempts.body)}”")
        for (key, sequence), changes in self.known.changes.items():
            message = self.known.by_sequence.get(key, {}).get(sequence)
            for change in changes:
                is_stored = change.state == "ok" and not change.repeated
                found = [change.attempt] if is_stored else []
                what = f"{change.kind} of #{sequence} of {short(key)}"
                writes = change.kind == "edit"
                self._judge([change.attempt], found, key, change.revision, what, writes=writes)
            if message is not None:
                self._judge_latest(message, changes)

    def _judge_latest(self, message: StoredMessage, changes: list[Change]) -> None:
        """What it is now may be the work of a change that nobody answered."""
        found = [change for change in changes if can_have_made(change, message)]
        if any(change.state == "ok" for change in found):
            return
        tried = [change.attempt for change in found]
        what = f"a change of #{message.sequence} of {short(message.conversation)}"
        place, writes = message.conversation, not message.deleted
        self._judge(tried, tried, place, message.revision, what, writes=writes)

    def _judge(
        self, tried: Iterable[Attempt], found: list[Attempt], place: str, revision: int, what: str,
        *, writes: bool = True,
    ) -> None:  # fmt: skip
        """`tried`: all that are counted; `found`: those of them that can have done it."""
        conversation = self.known.conversations.get(place)
        ends = {a.number: self._forbidden_until(a, conversation, writes=writes) for a in tried}
        self.tally.count(sum(end is not None for end in ends.values()))
        if not found or conversation is None:
            return
        for attempt in found:
            end = ends.get(attempt.number)
            if end is None or self.storers.latest(attempt, conversation.id, revision) >= end:
                return
        first = found[0]
        self.tally.break_(
            f"{first.person}: {what} was stored, tried at {first.began:.3f} s, when they had no"
            " right to"
        )

    def _forbidden_until(
        self, attempt: Attempt, conversation: Conversation | None, *, writes: bool
    ) -> float | None:
        """Until when it was certainly forbidden, of what was so when it began."""
        standing, person, began = self.known.standing, attempt.person, attempt.began
        if standing.over_since(person, attempt.session, began) is not None:
            return float("inf")
        if conversation is None:
            return None
        spans = list(standing.leaves.certain((person, conversation.id)))
        if writes:
            for pair in standing.pairs(conversation, person):
                spans += standing.blocks.certain(pair)
        return max((end for start, end in spans if start < began < end), default=None)


def can_have_made(change: Change, message: StoredMessage) -> bool:
    """Whether a message is as this change would leave it."""
    if message.revision == message.created_revision or change.state == "fail":
        return False
    if change.state == "ok" and (change.repeated or change.revision != message.revision):
        return False
    if message.deleted:
        return change.kind == "delete"
    return change.kind == "edit" and change.body == message.body
