"""Who had muted, blocked or left what, and whose sessions were over: for certain, or perhaps.

It listens before the checks do, and is asked when everything has been read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Any

from tests.faults.checker.reading import Operation
from tests.faults.final_state import Conversation, FinalState

# A request that nobody answered may still take effect for so long.
LINGERS = 60.0
Span = tuple[float, float]


@dataclass(slots=True)
class Switch:
    """An attempt that is not known to have failed. It has its effect, if any, before `until`."""

    on: bool
    began: float
    ended: float
    until: float
    is_certain: bool


class Switches:
    """Everything of one kind that people switch on and off, by whose and of what it is."""

    def __init__(self) -> None:
        self.all: dict[Any, list[Switch]] = {}
        self._possible: dict[Any, list[Span]] = {}

    def add(self, key: Any, operation: Operation, *, on: bool) -> None:
        if operation.state == "fail":
            return
        is_certain = operation.state == "ok"
        until = operation.ended if is_certain else min(operation.ended, operation.began) + LINGERS
        switch = Switch(on, operation.began, operation.ended, until, is_certain)
        self.all.setdefault(key, []).append(switch)

    def was_on(self, key: Any) -> bool:
        """Whether anybody ever tried."""
        return any(switch.on for switch in self.all.get(key, ()))

    def certain(self, key: Any) -> list[Span]:
        """From an acknowledged switching on until the first attempt at taking it back begins."""
        switches = self.all.get(key, ())
        spans = []
        for switch in switches:
            if switch.on and switch.is_certain:
                offs = (s.began for s in switches if not s.on and s.until > switch.began)
                end = min(offs, default=inf)
                if end > switch.ended:
                    spans.append((switch.ended, end))
        return spans

    def possible(self, key: Any) -> list[Span]:
        """From the first attempt at switching on until a later one at taking it back is done."""
        if key not in self._possible:
            self._possible[key] = list(self._find_possible(self.all.get(key, ())))
        return self._possible[key]

    def _find_possible(self, switches: Iterable[Switch]) -> Iterable[Span]:
        for switch in switches:
            if switch.on:
                offs = (
                    other.ended
                    for other in switches
                    if not other.on and other.is_certain and other.began >= switch.until
                )
                yield switch.began, min(offs, default=inf)

    def may_be_on(
        self, key: Any, began: float, ended: float, *, is_on_at_the_end: bool = True
    ) -> bool:
        """What is not on at the end had been taken back for good by the last attempt at that: an
        attempt at switching on that nobody answered excuses nothing after it."""
        if not is_on_at_the_end and began > self._taken_back_by(key):
            return False
        return any(start <= ended and end >= began for start, end in self.possible(key))

    def _taken_back_by(self, key: Any) -> float:
        return max((switch.until for switch in self.all.get(key, ()) if not switch.on), default=0.0)

    def last(self, key: Any) -> Switch | None:
        """The last one, if nothing else can have come after it."""
        switches = self.all[key]
        last = max(switches, key=lambda switch: switch.began)
        others = (other.until <= last.began for other in switches if other is not last)
        return last if last.is_certain and all(others) else None


class Standing:
    def __init__(self, final: FinalState) -> None:
        self.final = final
        self.marks = {kind: Switches() for kind in ("archive", "star", "mute")}
        self.blocks = Switches()  # By (who blocked, whom).
        self.leaves = Switches()  # By (person, conversation).
        self.deactivated: dict[int, tuple[float, float]] = {}  # Began and acknowledged.
        # When each began, up to which session, and until when it may have ended later ones too.
        self._ends: dict[int, list[tuple[float, float, float]]] = {}
        self._opened: dict[tuple[int, int], float] = {}  # When somebody began to sign in.
        self._over: dict[int, list[tuple[float, float]]] = {}  # The same, from its answer on.
        self._asked: dict[tuple[int, str], str] = {
            (person, conversation.listing): conversation.id
            for conversation in final.conversations.values()
            for person in conversation.places
        }

    # --- What people do -------------------------------------------------------------------------

    def _marked(self, operation: Operation) -> None:
        asked = operation.asked
        key = (asked["person"], asked["conversation"])
        self.marks[operation.kind].add(key, operation, on=bool(asked.get("on", True)))

    ended_archive = ended_star = ended_mute = _marked

    def ended_block(self, operation: Operation) -> None:
        asked = operation.asked
        on = operation.kind == "block"
        self.blocks.add((asked["person"], asked["other"]), operation, on=on)

    ended_unblock = ended_block

    def ended_leave(self, operation: Operation) -> None:
        asked = operation.asked
        on = operation.kind != "put_in"
        self.leaves.add((asked["person"], asked["conversation"]), operation, on=on)

    ended_take_out = ended_put_in = ended_leave

    def ended_start(self, operation: Operation) -> None:
        """To ask about a listing again is to come back."""
        person = operation.asked["person"]
        key = self._asked.get((person, operation.asked["listing"]))
        if key is not None:
            self.leaves.add((person, key), operation, on=False)

    # --- The end of sessions --------------------------------------------------------------------

    def ended_sign_in(self, operation: Operation) -> None:
        if operation.state == "ok" and "session" in operation.answer:
            session = (operation.asked["person"], operation.answer["session"])
            self._opened[session] = operation.began

    def ended_log_out_all(self, operation: Operation) -> None:
        if operation.state != "fail":
            self._end(operation, operation.asked.get("session", inf))
        if operation.state == "ok":
            self._note_over(operation, operation.answer["session"])

    def ended_change_password(self, operation: Operation) -> None:
        """`session`, or `kept`: the number of the one in which it was changed."""
        if operation.state != "fail":
            self._end(operation, operation.asked.get("session", inf))
        told = {**operation.asked, **operation.answer}
        kept = told.get("kept", told.get("session"))
        if operation.state == "ok" and isinstance(kept, int):
            self._note_over(operation, kept - 1)

    def ended_deactivate(self, operation: Operation) -> None:
        if operation.state != "fail":
            self._end(operation, inf)
            if operation.state == "ok":
                self._note_over(operation, inf)
            acknowledged = operation.ended if operation.state == "ok" else inf
            self.deactivated[operation.asked["person"]] = (operation.began, acknowledged)

    def _end(self, operation: Operation, session: Any) -> None:
        number = session if isinstance(session, int | float) else inf
        ends = self._ends.setdefault(operation.asked["person"], [])
        lingers = LINGERS if operation.state == "unknown" else 0.0
        ends.append((operation.began, number, operation.began + lingers))

    def _note_over(self, operation: Operation, session: float) -> None:
        over = self._over.setdefault(operation.asked["person"], [])
        over.append((operation.ended, session))

    def over_since(self, person: int, session: float, at: float) -> float | None:
        """Since when a session of this number was certainly over at this moment; None if it was
        not."""
        ends = self._over.get(person, ())
        return min((end for end, number in ends if end <= at and session <= number), default=None)

    def may_be_over(self, operation: Operation) -> bool:
        """Whether the session that this was done in may have ended by then."""
        asked = operation.asked
        person, session = asked.get("person", 0), asked.get("session", 0)
        return self.may_have_ended(person, session, operation.ended)

    def may_have_ended(self, person: int, session: float, at: float) -> bool:
        """Whether a session of this number may have ended by this moment. A log-out that nobody
        answered may be done when they have signed in again, and ends that session too."""
        opened = self._opened.get((person, int(session)), inf) if session < inf else inf
        return any(
            began <= at and (session <= number or opened <= until)
            for began, number, until in self._ends.get(person, ())
        )

    # --- Two sides ------------------------------------------------------------------------------

    def opposite(self, conversation: Conversation, person: int) -> list[int]:
        """The people on the other side, those who have left with them."""
        mine = conversation.places.get(person)
        places = conversation.places.values()
        return [place.user for place in places if mine and place.role != mine.role]

    def pairs(self, conversation: Conversation, person: int) -> list[tuple[int, int]]:
        """Whoever of these two blocked the other, neither writes."""
        others = self.opposite(conversation, person)
        return [pair for other in others for pair in ((person, other), (other, person))]

    def may_be_blocked(
        self, conversation: Conversation, person: int, began: float, ended: float
    ) -> bool:
        return any(self.may_block(pair, began, ended) for pair in self.pairs(conversation, person))

    def may_block(self, pair: tuple[int, int], began: float, ended: float) -> bool:
        """Whether the first of the two may have blocked the other then."""
        is_on = pair in self.final.blocks
        return self.blocks.may_be_on(pair, began, ended, is_on_at_the_end=is_on)

    def may_have_left(self, person: int, conversation: str, began: float, ended: float) -> bool:
        known = self.final.conversations.get(conversation)
        place = known.places.get(person) if known else None
        has_left = place is None or place.left
        key = (person, conversation)
        return self.leaves.may_be_on(key, began, ended, is_on_at_the_end=has_left)

    def may_be_alone(
        self, conversation: Conversation, person: int, began: float, ended: float
    ) -> bool:
        """Whether nobody may have been left on the other side. Who has come back is there again."""
        return any(
            (other in self.deactivated and self.deactivated[other][0] <= ended)
            or self.may_have_left(other, conversation.id, began, ended)
            for other in self.opposite(conversation, person)
        )
