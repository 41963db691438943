"""I10 and I11: nothing after the end of a session or a block, and nothing for strangers."""

import re
from collections.abc import Iterator
from math import inf
from typing import Any

from tests.faults.checker.known import Known, read_author, short
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.standing import LINGERS
from tests.faults.checker.verdicts import Tally

CLOSED_WITHIN = 5.0
CLOSED_WITHIN_WHEN_HURT = 35.0
AUTHOR_IN_MAIL = re.compile(r"\b(\d+) \d+ ([0-9a-f-]{36}|[a-z0-9-]+)\|")


class Ended:
    """I10 (promise 5): what is over is over.

    After `log_out_all` was acknowledged no operation of that person begun in a session of that
    number or an earlier one succeeds, reading and connecting included, unless it repeats what was
    stored before; and no message whose answer got lost is stored either. The same goes for every
    session after an account was deactivated, and for those before the one in which somebody chose a
    new password. Connections of those sessions are told nothing later than 5 s after it, or 35 s
    after the last fault that overlaps it. After a block was acknowledged, and as long as nobody
    began to take it back, no message and no edit begun later is stored between the two, repeats
    excepted.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I10", "sessions and blocks")
        self._over: dict[int, tuple[float, float]] = {}
        self._lines: dict[int, tuple[int, int]] = {}
        self._late: list[tuple[str, float, float]] = []
        self._doubtful: dict[str, int] = {}
        self._blocks: dict[tuple[int, int], float] = {}
        # Until when a taking back may take effect: no block begun before then is certain.
        self._shaken: dict[tuple[int, int], float] = {}
        self._lingers: dict[tuple[int, int], float] = {}

    # --- Sessions -------------------------------------------------------------------------------

    def ended_log_out_all(self, operation: Operation) -> None:
        if operation.state == "ok":
            person = operation.asked["person"]
            self._over[person] = (operation.answer["session"], operation.ended)

    def ended_change_password(self, operation: Operation) -> None:
        """`session`, or `kept`: the number of the one in which it was changed."""
        told = {**operation.asked, **operation.answer}
        kept = told.get("kept", told.get("session"))
        if operation.state == "ok" and isinstance(kept, int):
            self._over[operation.asked["person"]] = (kept - 1, operation.ended)

    def ended_deactivate(self, operation: Operation) -> None:
        if operation.state == "ok":
            self._over[operation.asked["person"]] = (inf, operation.ended)

    def _began_write(self, operation: Operation) -> None:
        asked = operation.asked
        over = self._over.get(asked["person"])
        if over is not None and asked.get("session", inf) <= over[0]:
            operation.notes["over"] = over[1]

    def _ended_write(self, operation: Operation) -> None:
        over = operation.notes.get("over")
        if over is None:
            return
        self.tally.count()
        if operation.state == "ok" and not operation.answer.get("duplicate"):
            self.tally.break_(
                f"{operation.who}: {operation.kind} begun at {operation.began:.3f} s was done, in a"
                f" session that was over at {over:.3f} s"
            )
        elif operation.state == "unknown" and "key" in operation.asked:
            key = operation.asked["key"]
            self._doubtful[key] = self._doubtful.get(key, 0) + 1

    began_read = began_archive = began_star = began_mute = began_delete = _began_write
    ended_read = ended_archive = ended_star = ended_mute = ended_delete = _ended_write
    began_pull = began_list = _began_write
    ended_pull = ended_list = _ended_write

    def began_connect(self, operation: Operation) -> None:
        asked = operation.asked
        self._lines[operation.number] = (asked["person"], asked.get("session", 0))
        self._began_write(operation)

    ended_connect = _ended_write

    def saw_close(self, seen: Seen) -> None:
        self._lines.pop(seen.value.get("connection", 0), None)

    def saw_frame(self, seen: Seen) -> None:
        line = self._lines.get(seen.value.get("connection", 0))
        over = self._over.get(line[0]) if line else None
        if line is None or over is None or line[1] > over[0]:
            return
        self.tally.count()
        if seen.at > over[1] + CLOSED_WITHIN:
            self._late.append((seen.who, over[1], seen.at))

    # --- Blocks ---------------------------------------------------------------------------------

    def began_block(self, operation: Operation) -> None:
        self._began_write(operation)

    def ended_block(self, operation: Operation) -> None:
        self._ended_write(operation)
        asked = operation.asked
        pair = (asked["person"], asked["other"])
        if operation.state == "ok" and self._shaken.get(pair, 0.0) < operation.began:
            self._blocks.setdefault(pair, operation.ended)

    def began_unblock(self, operation: Operation) -> None:
        self._began_write(operation)
        pair = (operation.asked["person"], operation.asked["other"])
        self._blocks.pop(pair, None)
        self._shaken[pair] = inf

    def ended_unblock(self, operation: Operation) -> None:
        self._ended_write(operation)
        pair = (operation.asked["person"], operation.asked["other"])
        if operation.state == "unknown":
            self._lingers[pair] = operation.ended + LINGERS
        self._shaken[pair] = max(self._lingers.get(pair, 0.0), operation.ended)

    def began_send(self, operation: Operation) -> None:
        self._began_write(operation)

    def ended_send(self, operation: Operation) -> None:
        self._ended_write(operation)
        asked = operation.asked
        key = asked.get("conversation") or operation.answer.get("conversation", "")
        since = self._blocked_since(key, asked["person"])
        if since is None or since >= operation.began:
            return
        self.tally.count()
        if operation.state == "ok" and not operation.answer.get("duplicate"):
            self.tally.break_(
                f"{operation.who}: {operation.kind} begun at {operation.began:.3f} s was stored in"
                f" {short(key)}, blocked since {since:.3f} s"
            )

    began_start = began_edit = began_send
    ended_start = ended_edit = ended_send

    def _blocked_since(self, key: str, person: int) -> float | None:
        """Since when it is certain that this person may not write here."""
        if not self._blocks:
            return None
        conversation = self.known.conversations.get(key)
        mine = conversation.places.get(person) if conversation else None
        if conversation is None or mine is None:
            return None
        pairs = [
            pair
            for place in conversation.places.values()
            if place.role != mine.role and not place.left
            for pair in ((person, place.user), (place.user, person))
        ]
        return min((self._blocks[pair] for pair in pairs if pair in self._blocks), default=None)

    # --- The end --------------------------------------------------------------------------------

    def finish(self) -> None:
        for who, over, at in self._late:
            hurt = self.known.overlapping(over, over + CLOSED_WITHIN_WHEN_HURT)
            last = max((fault.ended for fault in hurt), default=0.0)
            allowed = max(over, last) + CLOSED_WITHIN_WHEN_HURT if hurt else 0.0
            if at > allowed:
                self.tally.break_(
                    f"{who} was told something at {at:.3f} s, {at - over:.1f} s after"
                )
        for key, count in self._doubtful.items():
            attempts = self.known.attempts[key]
            stored = (attempts.person, key) in self.known.by_key
            if stored and attempts.tries == count:
                self.tally.break_(f"“{short(attempts.body)}” was stored after its session was over")


class Audience:
    """I11 (promise 5): nobody is handed anything of a conversation that is not theirs.

    Every body says who wrote it and where it belongs. What a person's sockets, pages of changes,
    lists and mails hold belongs to a conversation in which they have or had a place, is handed over
    as of that conversation, and was written by somebody who has one there. A page of a conversation
    asked for by anybody else is refused. Whatever else a frame carries is looked through for
    bodies, whichever its type.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I11")
        self._members = {
            conversation.id: set(conversation.places)
            for conversation in known.conversations.values()
        }
        self._listings = {
            conversation.id: conversation.listing for conversation in known.conversations.values()
        }
        self._of_listing: dict[str, set[int]] = {}
        for conversation in known.conversations.values():
            people = self._of_listing.setdefault(conversation.listing, set())
            people |= self._members[conversation.id]

    def saw_frame(self, seen: Seen) -> None:
        value = seen.value
        key = value.get("conversation")
        if key:
            self._check(seen.who, value["person"], key, value.get("body"), seen.at)
        for body in find_bodies(value.get("fields")):
            self.tally.count()
            author = read_author(body)
            if author is None:
                continue
            places = self._members.get(author[1]) or self._of_listing.get(author[1], set())
            if value["person"] not in places or author[0] not in places:
                told = f"{seen.who} was handed “{short(body)}” by {value['type']}"
                self.tally.break_(f"{told} at {seen.at:.3f} s")

    def ended_pull(self, operation: Operation) -> None:
        if operation.state != "ok":
            self.tally.count()
            return
        asked = operation.asked
        key, person = asked["conversation"], asked["person"]
        self._check(operation.who, person, key, None, operation.ended)
        for row in operation.answer["messages"]:
            self._check(operation.who, person, key, row[3], operation.ended)

    def ended_list(self, operation: Operation) -> None:
        if operation.state == "ok":
            for key, _, body in operation.answer["rows"]:
                person = operation.asked["person"]
                self._check(operation.who, person, key, body, operation.ended)

    def saw_final(self, seen: Seen) -> None:
        value = seen.value
        for row in value["messages"]:
            self._check(seen.who, value["person"], value["conversation"], row[2], seen.at)

    def _check(self, who: str, person: int, key: str, body: str | None, at: float) -> None:
        self.tally.count()
        members = self._members.get(key)
        if members is None or person not in members:
            self.tally.break_(f"{who} was handed something of {short(key)} at {at:.3f} s")
            return
        author = read_author(body) if body else None
        if author is None:
            return
        if author[0] not in members or author[1] not in (key, self._listings[key]):
            self.tally.break_(f"{who} was handed “{short(body)}” as of {short(key)} at {at:.3f} s")

    def finish(self) -> None:
        addresses = {address: person for person, address in self.known.final.people.items()}
        for mail in self.known.final.mails:
            person = addresses.get(mail.to)
            for author, place in AUTHOR_IN_MAIL.findall(mail.text):
                self.tally.count()
                members: Any = self._members.get(place) or self._of_listing.get(place, set())
                if person not in members or int(author) not in members:
                    about = f"{author} in {short(place)}"
                    self.tally.break_(f"{mail.to} was mailed at {mail.at:.1f} s what {about} wrote")


def find_bodies(told: Any) -> Iterator[str]:
    """Every text in a frame that may be a message's."""
    if isinstance(told, str):
        if "|" in told:
            yield told
    elif isinstance(told, dict):
        for part in told.values():
            yield from find_bodies(part)
    elif isinstance(told, list):
        for part in told:
            yield from find_bodies(part)
