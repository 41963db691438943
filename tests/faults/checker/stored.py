"""I1 and I3: what is in the database at the end, compared with what people were told and tried."""

from collections import Counter
from itertools import pairwise

from tests.faults.checker.known import Change, Known, short
from tests.faults.checker.reading import Operation
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation, StoredMessage


class Acknowledged:
    """I1 (promises 1 and 7): everything acknowledged is stored, as it was acknowledged.

    An `ok` of a send or of a start names a number, a sequence and a revision: at the end there is
    that message, by that person, under that key, first stored at that revision. Its body is the one
    that was sent or the one of an edit that was tried; a deleted one has none. An `ok` of an edit
    or of a deletion names a revision: the message is at that revision with that body, or at a later
    one.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I1", "messages and changes")

    def ended_send(self, operation: Operation) -> None:
        if operation.state != "ok":
            return
        self.tally.count()
        asked, answer = operation.asked, operation.answer
        conversation = asked.get("conversation") or answer["conversation"]
        found = self.known.by_sequence.get(conversation, {}).get(answer["sequence"])
        problem = self._compare(operation, found)
        if problem:
            who = f"{asked['person']} was told at {operation.ended:.3f} s"
            where = f"#{answer['sequence']} of {short(conversation)}"
            self.tally.break_(f"{who} that “{short(asked['body'])}” is {where}: {problem}")

    ended_start = ended_send

    def _compare(self, operation: Operation, found: StoredMessage | None) -> str:
        asked, answer = operation.asked, operation.answer
        if found is None:
            return "it is not there"
        if found.key != asked["key"] or found.sender != asked["person"]:
            return "another message is there"
        if found.id and found.id != answer.get("id", found.id):
            return f"its number is {found.id}, not {answer['id']}"
        if found.created_revision != answer["revision"]:
            return f"it was stored at revision {found.created_revision}, not {answer['revision']}"
        if not found.edited and not found.deleted and found.body != asked["body"]:
            return f"it says “{short(found.body)}”"
        return ""

    def finish(self) -> None:
        for (conversation, sequence), changes in self.known.changes.items():
            found = self.known.by_sequence.get(conversation, {}).get(sequence)
            where = f"#{sequence} of {short(conversation)}"
            for change in changes:
                if change.state == "ok":
                    self._compare_change(change, found, where)
            if found is not None and (found.edited or found.deleted):
                self._compare_body(found, changes, where)

    def _compare_change(self, change: Change, found: StoredMessage | None, where: str) -> None:
        self.tally.count()
        done = f"{change.kind} of {where}, acknowledged at revision {change.revision},"
        if found is None:
            self.tally.break_(f"{done} is of a message that is not there")
        elif change.kind == "delete" and not found.deleted:
            self.tally.break_(f"{done} is lost")
        elif found.revision < change.revision:
            self.tally.break_(f"{done} is lost: the message is at revision {found.revision}")
        elif found.revision == change.revision and not _shows(change, found):
            self.tally.break_(f"{done} left “{short(found.body)}”")

    def _compare_body(self, found: StoredMessage, changes: list[Change], where: str) -> None:
        if found.deleted:
            self.tally.expect(found.body == "", f"{where} is deleted and keeps its text")
            return
        edits = {c.body for c in changes if c.kind == "edit" and c.state != "fail"}
        self.tally.expect(found.body in edits, f"{where} says what nobody made it say")


def _shows(change: Change, found: StoredMessage) -> bool:
    if change.kind == "delete" or found.deleted:
        return found.deleted
    return found.body == change.body


class InOrder:
    """I3 (promise 3): numbers without gaps, in the order in which things happened.

    The sequences of a conversation are 1 … n and its counter says n. Later sequences have later
    revisions; no revision is used twice, none is above the conversation's, and those that no
    message shows any more belong to changes that were acknowledged or to unanswered ones. The
    latest revision of a message is its first, or that of a change of it that was acknowledged, or
    an unanswered change of it can have been it. What was
    acknowledged before something else was begun comes before it. What one tab said over one socket,
    each thing once, stands in the order in which it was said.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I3")
        self._lines: dict[str, int] = {}
        self._latest: dict[tuple[str, str, int], tuple[int, int]] = {}

    # --- One socket's order ---------------------------------------------------------------------

    def began_connect(self, operation: Operation) -> None:
        self._lines[operation.who] = operation.number

    def began_send(self, operation: Operation) -> None:
        if operation.asked.get("door") == "socket":
            operation.notes["line"] = self._lines.get(operation.who, 0)

    def ended_send(self, operation: Operation) -> None:
        asked, answer = operation.asked, operation.answer
        if operation.state != "ok" or "line" not in operation.notes or answer.get("duplicate"):
            return
        if self.known.attempts[asked["key"]].tries > 1:
            return  # An earlier attempt may be what was stored.
        place = (operation.who, asked["conversation"], operation.notes["line"])
        self._compare_said(place, operation.number, answer["sequence"])

    def _compare_said(self, place: tuple[str, str, int], number: int, sequence: int) -> None:
        """Operations have their numbers in the order in which they were begun."""
        self.tally.count()
        before_number, before_sequence = self._latest.get(place, (0, 0))
        if number > before_number:
            if sequence < before_sequence:
                self.tally.break_(
                    f"{place[0]} said #{sequence} of {short(place[1])} after #{before_sequence}"
                )
            self._latest[place] = (number, max(sequence, before_sequence))
        elif sequence > before_sequence:
            self.tally.break_(
                f"{place[0]} said #{sequence} of {short(place[1])} before #{before_sequence}"
            )

    # --- The numbers ----------------------------------------------------------------------------

    def finish(self) -> None:
        unanswered: Counter[str] = Counter()
        changed: dict[str, set[int]] = {}
        for (key, _), changes in self.known.changes.items():
            for change in changes:
                if change.state == "ok":
                    changed.setdefault(key, set()).add(change.revision)
                elif change.state != "fail":
                    unanswered[key] += 1
        for conversation in self.known.conversations.values():
            self._check_sequences(conversation)
            acknowledged = changed.get(conversation.id, set())
            self._check_revisions(conversation, acknowledged, unanswered[conversation.id])
            self._check_changes(conversation)
            self._check_time(conversation)

    def _check_changes(self, conversation: Conversation) -> None:
        for message in conversation.messages:
            if message.revision == message.created_revision:
                continue
            self.tally.count()
            changes = self.known.changes.get((conversation.id, message.sequence), ())
            known = {change.revision for change in changes if change.state == "ok"}
            is_open = any(change.state not in ("ok", "fail") for change in changes)
            if message.revision not in known and not is_open:
                self.tally.break_(
                    f"#{message.sequence} of {short(conversation.id)} is at revision"
                    f" {message.revision}, which nobody asked for"
                )

    def _check_sequences(self, conversation: Conversation) -> None:
        name = short(conversation.id)
        found = [message.sequence for message in conversation.messages]
        self.tally.count(len(found))
        if found != list(range(1, len(found) + 1)):
            missing = sorted(set(range(1, max(found, default=0) + 1)) - set(found))[:5]
            self.tally.break_(f"{name} has no #{missing} among {len(found)} messages")
        if conversation.last_sequence != len(found):
            said = f"its counter says {conversation.last_sequence}"
            self.tally.break_(f"{name} holds {len(found)} messages, {said}")
        created = [message.created_revision for message in conversation.messages]
        if any(later <= earlier for earlier, later in pairwise(created)):
            self.tally.break_(f"{name}: a later sequence has an earlier revision")

    def _check_revisions(
        self, conversation: Conversation, acknowledged: set[int], unanswered: int
    ) -> None:
        name = short(conversation.id)
        used = Counter(message.created_revision for message in conversation.messages)
        used.update(m.revision for m in conversation.messages if m.revision != m.created_revision)
        self.tally.count(len(used))
        twice = [revision for revision, count in used.items() if count > 1]
        if twice:
            self.tally.break_(f"{name}: revision {twice[0]} is used twice")
        if max(used, default=0) > conversation.revision:
            self.tally.break_(f"{name}: a message is beyond revision {conversation.revision}")
        hidden = set(range(1, conversation.revision + 1)) - used.keys()
        skipped = sorted(hidden - acknowledged)
        if len(skipped) > unanswered:
            self.tally.break_(f"{name}: revision {skipped[0]} belongs to no change")

    def _check_time(self, conversation: Conversation) -> None:
        """From the end: whatever comes later must not have been acknowledged before this began."""
        earliest: tuple[float, int] | None = None
        for message in reversed(conversation.messages):
            attempts = self.known.attempts.get(message.key or "")
            if attempts is None:
                continue
            self.tally.count()
            if earliest is not None and earliest[0] < attempts.first_began:
                self.tally.break_(
                    f"#{message.sequence} of {short(conversation.id)} was begun after"
                    f" #{earliest[1]} had been acknowledged"
                )
            if earliest is None or attempts.first_ok < earliest[0]:
                earliest = (attempts.first_ok, message.sequence)
