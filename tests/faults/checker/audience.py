"""I11: nobody is handed anything of other people's conversations."""

import re
from collections.abc import Iterator
from typing import Any

from tests.faults.checker.known import Known, read_author, short
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally

AUTHOR_IN_MAIL = re.compile(r"\b(\d+) \d+ ([0-9a-f-]{36}|[a-z0-9-]+)\|")


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
        self.tally = Tally("I11", "what was said")
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
