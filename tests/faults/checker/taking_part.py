"""I10: whoever has left a conversation or was taken out is told nothing of it and does nothing."""

from math import inf

from tests.faults.checker.known import Known, short
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.rights import READING
from tests.faults.checker.told_after import ToldAfter, Watch
from tests.faults.checker.touches import UNANSWERED_SECONDS
from tests.faults.checker.verdicts import Tally

Place = tuple[int, str]


class Left:
    """I10: whoever has left or was taken out takes no part. After that was acknowledged, and until
    its person asks about the listing again or staff put them in, nothing that they begin in the
    conversation succeeds, repeats excepted, reading and connecting included; no socket of theirs is
    told anything of it, but that they were `removed`, later than after the end of a session. At the
    end, where nothing unanswered can have come after it, they
    have left.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I10", "leaving")
        self._left: dict[Place, float] = {}
        self._starts: dict[tuple[int, str], float] = {}  # Until when one may bring them back.
        self.told = ToldAfter(known, self.tally)
        self._rooms: dict[int, tuple[str, Place, int | None]] = {}  # Open ones.

    # --- Leaving and coming back ----------------------------------------------------------------

    def ended_leave(self, operation: Operation) -> None:
        if operation.state != "ok":
            return
        place = (operation.asked["person"], operation.asked["conversation"])
        conversation = self.known.conversations.get(place[1])
        listing = conversation.listing if conversation else ""
        if self._starts.get((place[0], listing), 0.0) < operation.began:
            self._leave(place, operation.ended)

    ended_take_out = ended_leave

    def _leave(self, place: Place, at: float) -> None:
        left = self._left.setdefault(place, at)
        for who, where, web in self._rooms.values():
            if where == place:
                self.told.begin(who, place, Watch(describe(who, place), web, left))

    def _come_back(self, place: Place, at: float) -> None:
        left = self._left.pop(place, None)
        if left is not None:
            self.told.end(place, left, at)

    def began_put_in(self, operation: Operation) -> None:
        place = (operation.asked["person"], operation.asked["conversation"])
        self._come_back(place, operation.began)

    def began_start(self, operation: Operation) -> None:
        person, listing = operation.asked["person"], operation.asked["listing"]
        self._starts[person, listing] = inf
        for place in [place for place in self._left if place[0] == person]:
            conversation = self.known.conversations.get(place[1])
            if conversation is not None and conversation.listing == listing:
                self._come_back(place, operation.began)

    def ended_start(self, operation: Operation) -> None:
        is_done = operation.state in ("ok", "fail")
        until = operation.ended if is_done else operation.ended + UNANSWERED_SECONDS
        self._starts[operation.asked["person"], operation.asked["listing"]] = until

    # --- What must not succeed ------------------------------------------------------------------

    def _began(self, operation: Operation) -> None:
        place = (operation.asked["person"], operation.asked.get("conversation") or "")
        if place in self._left:
            operation.notes["left"] = self._left[place]

    def _ended(self, operation: Operation) -> None:
        left = operation.notes.get("left")
        place = (operation.asked["person"], operation.asked.get("conversation") or "")
        if left is None or self._left.get(place) != left:  # Never left, or came back meanwhile.
            return
        self.tally.count()
        if operation.state == "ok" and not operation.answer.get("duplicate"):
            self.tally.break_(
                f"{operation.who}: {operation.kind} begun at {operation.began:.3f} s was done in"
                f" {short(operation.asked['conversation'])}, left at {left:.3f} s",
                misdelivers=operation.kind in READING,
            )

    began_send = began_edit = began_delete = began_read = began_pull = _began
    ended_send = ended_edit = ended_delete = ended_read = ended_pull = _ended
    began_archive = began_star = began_mute = began_page = _began
    ended_archive = ended_star = ended_mute = ended_page = _ended

    def began_connect(self, operation: Operation) -> None:
        place = (operation.asked["person"], operation.asked.get("conversation") or "")
        self._rooms[operation.number] = (operation.who, place, operation.asked.get("web"))
        self._began(operation)

    def ended_connect(self, operation: Operation) -> None:
        if operation.state == "fail":
            self._rooms.pop(operation.number, None)
        self._ended(operation)

    def saw_close(self, seen: Seen) -> None:
        self._rooms.pop(seen.value.get("connection", 0), None)

    def saw_frame(self, seen: Seen) -> None:
        value = seen.value
        place = (value["person"], value.get("conversation") or "")
        left = self._left.get(place)
        if left is None or value["type"] in ("removed", "ack", "error"):
            return
        room = self._rooms.get(value.get("connection", 0))
        watch = Watch(describe(seen.who, place), room[2] if room else None, left)
        self.told.hear(seen.who, place, watch, seen.at)

    # --- At the end -----------------------------------------------------------------------------

    def finish(self) -> None:
        self.tally.note = f"left: {self.told.finish()}"
        leaves = self.known.standing.leaves
        for person, key in filter(leaves.was_on, leaves.all):
            last_switch = leaves.last((person, key))
            conversation = self.known.conversations.get(key)
            place = conversation.places.get(person) if conversation else None
            if last_switch is not None and place is not None:
                self.tally.expect(
                    place.left == last_switch.on,
                    f"{person} {'left' if last_switch.on else 'came back to'} {short(key)} at"
                    f" {last_switch.ended:.3f} s, which is lost",
                )


def describe(who: str, place: Place) -> str:
    return f"{who}, of {short(place[1])},"
