"""I5 and I6: what people read afterwards, how far they have read, and what is unread to them."""

from itertools import pairwise
from math import inf
from typing import Any

from tests.faults.checker.delivered import compare_shown
from tests.faults.checker.known import Known, short
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation, Place


class ReadYourWrites:
    """I5 (promises 1 and 3): what was acknowledged is there for whoever asks afterwards, anywhere.

    A page of changes after a revision, asked for after revision h had been acknowledged to anybody,
    has every change up to h (or up to its own end, if more pages follow) that is still a message's
    latest. Its rows go up in revision, and show what is stored at that revision; after an edit or a
    deletion was acknowledged nobody is shown the state before it. In a list asked for after a
    message was acknowledged, the conversation's last message is that one or a later one.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I5")
        # By conversation and sequence: revision and moment of the latest acknowledged change.
        self._changed: dict[str, dict[int, tuple[int, float]]] = {}
        self._last: dict[str, int] = {}
        self._mine: dict[int, list[str]] = {}

    def ended_send(self, operation: Operation) -> None:
        if operation.state == "ok":
            key = operation.asked.get("conversation") or operation.answer["conversation"]
            self._last[key] = max(self._last.get(key, 0), operation.answer["sequence"])

    ended_start = ended_send

    def ended_edit(self, operation: Operation) -> None:
        if operation.state == "ok":
            changed = self._changed.setdefault(operation.asked["conversation"], {})
            told = (operation.answer["revision"], operation.ended)
            changed.setdefault(operation.asked["sequence"], told)
            if told > changed[operation.asked["sequence"]]:
                changed[operation.asked["sequence"]] = told

    ended_delete = ended_edit

    def began_pull(self, operation: Operation) -> None:
        key = operation.asked["conversation"]
        operation.notes["head"] = self.known.heads.get(key, 0)

    def ended_pull(self, operation: Operation) -> None:
        if operation.state != "ok":
            return
        key, rows = operation.asked["conversation"], operation.answer["messages"]
        self.tally.count()
        problem = self._find_missing(operation, key, rows) or self._find_wrong(operation, key, rows)
        if problem:
            asked = f"asked at {operation.began:.3f} s for what comes after"
            after = f"revision {operation.asked['after']} of {short(key)}"
            self.tally.break_(f"{operation.who} {asked} {after}: {problem}")

    def _find_missing(self, operation: Operation, key: str, rows: list[list[Any]]) -> str:
        revisions = [row[1] for row in rows]
        if any(later <= earlier for earlier, later in pairwise(revisions)):
            return "the revisions do not go up"
        after, head = operation.asked["after"], operation.notes["head"]
        if operation.answer.get("next") is not None:
            head = min(head, operation.answer["next"])
        shown = set(revisions)
        latest = self.known.by_revision.get(key, {})
        for revision in range(after + 1, head + 1):
            if revision in latest and revision not in shown:
                return f"revision {revision} is missing"
        return ""

    def _find_wrong(self, operation: Operation, key: str, rows: list[list[Any]]) -> str:
        stored, changes = self.known.by_sequence.get(key, {}), self._changed.get(key, {})
        for sequence, revision, sender, body, _, deleted in rows:
            self.tally.count()
            message = stored.get(sequence)
            problem = compare_shown(message, revision, body, deleted)
            if problem or message is None:
                return f"#{sequence}: {problem}"
            if sender != message.sender:
                return f"#{sequence} is shown as written by {sender}"
            changed, at = changes.get(sequence, (0, inf))
            if at < operation.began and revision < changed:
                return f"#{sequence} is shown at revision {revision}, which was changed before"
        return ""

    # --- Lists ----------------------------------------------------------------------------------

    def began_list(self, operation: Operation) -> None:
        mine = self._conversations_of(operation.asked["person"])
        operation.notes["last"] = {key: self._last[key] for key in mine if key in self._last}

    def ended_list(self, operation: Operation) -> None:
        if operation.state != "ok":
            return
        for key, _, body in operation.answer["rows"]:
            last = operation.notes["last"].get(key)
            if last is None or not body:
                continue
            self.tally.count()
            if not self._is_since(key, last, body):
                self.tally.break_(
                    f"{operation.who} was shown “{short(body)}” as the last of {short(key)} at"
                    f" {operation.ended:.3f} s, after #{last} had been acknowledged"
                )

    def _is_since(self, key: str, last: int, body: str) -> bool:
        """Whether this body is, or was, the one of message `last` or of a later one."""
        stored = self.known.by_sequence.get(key, {})
        wanted = head_of(body)
        for sequence in range(last, len(stored) + 1):
            message = stored.get(sequence)
            if message is None or head_of(message.body) == wanted:
                return True
            attempts = self.known.attempts.get(message.key or "")
            if attempts is not None and head_of(attempts.body) == wanted:
                return True
            changes = self.known.changes.get((key, sequence), ())
            if any(head_of(change.body) == wanted for change in changes):
                return True
        return False

    def _conversations_of(self, person: int) -> list[str]:
        if not self._mine:
            for conversation in self.known.conversations.values():
                for user in conversation.places:
                    self._mine.setdefault(user, []).append(conversation.id)
        return self._mine.get(person, [])

    def finish(self) -> None:
        """Everything was compared on the way."""


class ReadPositions:
    """I6 (promise 4, and “a read position moves forward, never back”).

    After `read` was acknowledged over HTTP, `ready` of every connection begun later and the final
    state name that position or a later one. On a room connection the positions that it is told of
    one person only go up, and none is above the final one. At the end nobody's position is above
    the head, and what is unread to somebody is counted exactly: messages of others after their
    position, not deleted and not the system's; nothing to whoever has left.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I6", "positions")
        self._read: dict[tuple[int, str], int] = {}
        self._rooms: set[int] = set()
        self._told: dict[tuple[int, int], int] = {}

    def ended_read(self, operation: Operation) -> None:
        if operation.state == "ok":
            place = (operation.asked["person"], operation.asked["conversation"])
            self._read[place] = max(self._read.get(place, 0), operation.asked["sequence"])

    def began_connect(self, operation: Operation) -> None:
        place = (operation.asked["person"], operation.asked.get("conversation") or "")
        operation.notes["read"] = self._read.get(place, 0)
        if operation.asked.get("conversation"):
            self._rooms.add(operation.number)

    def ended_connect(self, operation: Operation) -> None:
        told = operation.answer.get("read_sequence")
        if operation.state != "ok" or told is None or not operation.asked.get("conversation"):
            return
        known = operation.notes["read"]
        self.tally.count()
        if told < known:
            self.tally.break_(
                f"{operation.who} had read up to #{known}; `ready` at {operation.ended:.3f} s"
                f" said #{told}"
            )

    def saw_frame(self, seen: Seen) -> None:
        value = seen.value
        if value["type"] != "read":
            return
        key, user, sequence = value["conversation"], value["user"], value["sequence"]
        self.tally.count()
        place = self._place(key, user)
        if place is not None and sequence > place.read_sequence:
            self.tally.break_(
                f"{seen.who} was told that {user} had read up to #{sequence} of {short(key)},"
                f" which is #{place.read_sequence} at the end"
            )
        line = value.get("connection", 0)
        if line in self._rooms:
            told = self._told.get((line, user), 0)
            self._told[line, user] = max(told, sequence)
            if sequence <= told:
                self.tally.break_(
                    f"{seen.who} was told #{sequence} as read by {user} after #{told}"
                )

    def _place(self, key: str, user: int) -> Place | None:
        conversation = self.known.conversations.get(key)
        return conversation.places.get(user) if conversation else None

    def finish(self) -> None:
        for (person, key), sequence in self._read.items():
            place = self._place(key, person)
            if place is not None and not place.left:
                self.tally.count()
                if place.read_sequence < sequence:
                    self.tally.break_(
                        f"{person} had read up to #{sequence} of {short(key)}, at the end it is"
                        f" #{place.read_sequence}"
                    )
        for conversation in self.known.conversations.values():
            for place in conversation.places.values():
                self._compare_unread(conversation, place)

    def _compare_unread(self, conversation: Conversation, place: Place) -> None:
        self.tally.count()
        where = f"{place.user} in {short(conversation.id)}"
        if place.read_sequence > len(conversation.messages):
            self.tally.break_(f"{where} has read up to #{place.read_sequence}, beyond the head")
        expected = 0 if place.left else count_unread(conversation, place)
        if place.unread != expected:
            self.tally.break_(f"{where}: {place.unread} unread, {expected} by the messages")


def count_unread(conversation: Conversation, place: Place) -> int:
    return sum(
        message.sender != place.user and not message.deleted and message.kind != "system"
        for message in conversation.messages[place.read_sequence :]
    )


def head_of(body: str) -> str:
    """What makes a body one of a kind."""
    return body.partition("|")[0]
