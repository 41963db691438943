"""I2: nothing twice, and nothing that nobody tried."""

from collections import Counter

from tests.faults.checker.known import Attempts, Known, short
from tests.faults.checker.not_allowed import Storers
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation, StoredMessage


class Once:
    """I2 (promise 2): nothing is stored that nobody tried, and nothing twice.

    Every stored message of a person carries a key that this person tried in this conversation with
    this text, at least one attempt of which can have stored it: it is not known to have failed, and
    was not told that it only repeats what was stored before (unless the database was hurt
    meanwhile, and the process had to try twice by itself). A key is stored once, and so is a
    text: each body has a number of its own. It is acknowledged as new once, and not by an attempt
    that was begun when somebody had seen it. An attempt that nobody answered
    had no effect or one. Whoever is told that this was stored before has an attempt that was begun
    before that answer and can have stored it.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I2", "messages")
        self.storers = Storers(known)

    def finish(self) -> None:
        for key, attempts in self.known.attempts.items():
            self._look_at_answers(key, attempts)
        for conversation in self.known.conversations.values():
            keys: Counter[str] = Counter()
            bodies: dict[str, int] = {}
            for message in conversation.messages:
                if message.kind == "system":
                    continue
                self.tally.count()
                self._look_for_attempt(conversation, message)
                keys[message.key or ""] += 1
                if not message.edited and not message.deleted:
                    self._look_for_twin(message, bodies)
            for key, count in keys.items():
                if key and count > 1:
                    self.tally.break_(f"key {key} is stored {count} times")

    def _look_at_answers(self, key: str, attempts: Attempts) -> None:
        done = [attempt for attempt in attempts.all if attempt.state == "ok"]
        new = sum(not attempt.duplicate for attempt in done)
        if new > 1:
            self.tally.break_(f"key {key} of {attempts.person} was acknowledged as new {new} times")
        message = self.known.by_key.get((attempts.person, key))
        if message is not None:
            place, revision = message.conversation, message.created_revision
            told = self.known.sightings.by(place, revision)
            if any(not each.duplicate and told and told < each.began for each in done):
                self.tally.break_(
                    f"“{short(attempts.body)}” was acknowledged as new, and seen at {told:.3f} s,"
                    " before that was tried"
                )
        if new == len(done):
            return
        found = self.storers.find(attempts)
        for attempt in done:
            earlier = any(other.began < attempt.ended for other in found)
            if attempt.duplicate and not earlier:
                self.tally.break_(
                    f"{attempts.person} was told at {attempt.ended:.3f} s that"
                    f" “{short(attempts.body)}” was stored before: nobody else can have stored it"
                )

    def _look_for_twin(self, message: StoredMessage, bodies: dict[str, int]) -> None:
        first = bodies.setdefault(message.body, message.sequence)
        if first != message.sequence:
            twice = f"#{first} and #{message.sequence} of {short(message.conversation)}"
            self.tally.break_(f"“{short(message.body)}” is stored twice: {twice}")

    def _look_for_attempt(self, conversation: Conversation, message: StoredMessage) -> None:
        attempts = self.known.attempts.get(message.key or "")
        problem = _explain(attempts, conversation, message)
        if attempts is not None and not problem and not self.storers.find(attempts):
            problem = "no attempt to send it can have stored it"
        if problem:
            where = f"#{message.sequence} of {short(conversation.id)}"
            self.tally.break_(f"{where}, “{short(message.body)}”: {problem}")


def _explain(attempts: Attempts | None, conversation: Conversation, message: StoredMessage) -> str:
    if attempts is None:
        return "nobody tried to send it"
    if attempts.person != message.sender:
        return f"{attempts.person} tried to send it, not {message.sender}"
    if attempts.place not in (conversation.id, conversation.listing):
        return f"it was meant for {short(attempts.place)}"
    if not message.edited and not message.deleted and attempts.body != message.body:
        return f"“{short(attempts.body)}” was sent under its key"
    return ""
