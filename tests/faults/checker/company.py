"""I11: who is here, who types and who has read is told to those whom it concerns."""

from math import inf
from typing import Any

from tests.faults.checker.known import Known, short
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally
from tests.faults.checker.windows import Way

TOLD = ("presence", "typing", "read")
LISTED = ("ready", "participants")
# A frame may be on its way when a block is answered.
ON_ITS_WAY = 5.0
Moment = tuple[str, str, int, int, float, float]


class Company:
    """I11: nobody is told of strangers. Whoever is said to be here, to type, to have read or to
    take part has or had a place in that conversation. Between two of whom one has blocked the other
    neither is told that the other types or is here: no room that is opened after the block was
    answered shows it, and no open one is told so later than 5 s after it, or as long after the last
    fault that can hold it back. That is so until somebody begins to take it back.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I11", "who is there")
        self._opened: dict[int, float] = {}
        # What, to whom by name and number, about whom, since when it can have been read, and when.
        self._told: list[Moment] = []

    def began_connect(self, operation: Operation) -> None:
        self._opened[operation.number] = operation.began

    def saw_close(self, seen: Seen) -> None:
        self._opened.pop(seen.value.get("connection", 0), None)

    def saw_frame(self, seen: Seen) -> None:
        value = seen.value
        kind, fields = value["type"], value.get("fields") or {}
        if kind in TOLD and fields:
            is_here = kind == "typing" or (kind == "presence" and bool(fields.get("online")))
            self._note(seen, fields.get("user"), is_here=is_here, read_since=-inf)
        elif kind in LISTED and fields.get("conversation"):
            opened = self._opened.get(value.get("connection", 0), -inf)
            read_since = opened if kind == "ready" else -inf
            for member in fields.get("participants", ()):
                is_here = bool(member.get("online"))
                self._note(seen, member["id"], is_here=is_here, read_since=read_since)

    def _note(self, seen: Seen, about: Any, *, is_here: bool, read_since: float) -> None:
        person, key = seen.value["person"], seen.value.get("conversation") or ""
        if about is None or about == person:
            return
        self.tally.count()
        kind = seen.value["type"]
        if not self._are_together(person, about, key):
            self.tally.break_(
                f"{seen.who} was told of {about} by {kind} of {short(key) or 'the inbox'} at"
                f" {seen.at:.3f} s: they take no part in it together"
            )
        elif is_here:
            self._told.append((kind, seen.who, person, about, read_since, seen.at))

    def _are_together(self, person: int, other: int, key: str) -> bool:
        conversations = self.known.conversations
        if key:
            found = [conversations[key]] if key in conversations else []
        else:
            found = list(conversations.values())
        return any(person in each.places and other in each.places for each in found)

    def finish(self) -> None:
        way, blocks = Way(self.known.faults, None), self.known.standing.blocks
        for kind, who, person, other, read_since, at in self._told:
            spans = blocks.certain((person, other)) + blocks.certain((other, person))
            for began, ended in spans:
                if not began < at < ended:
                    continue
                if read_since > began or at > way.put_off(began, ON_ITS_WAY):
                    self.tally.break_(
                        f"{who} was told by {kind} at {at:.3f} s that {other} is here, blocked"
                        f" since {began:.3f} s"
                    )
