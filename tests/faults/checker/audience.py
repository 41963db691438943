"""I11: nobody is handed anything of other people's conversations."""

from collections.abc import Iterator
from html import unescape
from typing import Any

from tests.faults.bodies import Author, find_authors
from tests.faults.checker.known import Known, read_author, short
from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.verdicts import Tally


class Audience:
    """I11 (promise 5): nobody is handed anything of a conversation that is not theirs.

    Every body says who wrote it and where it belongs. What a person's sockets, pages of changes,
    lists and mails hold belongs to a conversation in which they have or had a place, is handed over
    as of that conversation, and was written by somebody who has one there. What began a
    conversation names the listing instead: it belongs to the conversation in which its author asked
    about that. A page of a conversation asked for by anybody else is refused. Whatever else a frame
    carries is looked through for bodies, whichever its type; so is the whole text of every answer
    over HTTP, an error's too, and of pages as a browser is served them, of which only what belongs
    to nobody in sight was written down; and so are a mail's headers, its text and its HTML.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.said = Tally("I11", "what was said")
        self.answers = Tally("I11", "answers over HTTP")
        self.pages = Tally("I11", "pages")
        self.mails = Tally("I11", "mails")
        self.mails_as_html = Tally("I11", "mails as HTML")
        self.tallies = [self.said, self.answers, self.pages, self.mails, self.mails_as_html]
        self._members: dict[str, set[int]] = {}
        self._listings: dict[str, str] = {}
        self._asked: dict[Author, set[int]] = {}  # By whoever asked about a listing, and that.
        for conversation in known.conversations.values():
            members = self._members[conversation.id] = set(conversation.places)
            self._listings[conversation.id] = conversation.listing
            for place in conversation.places.values():
                if place.role == "buyer":
                    asked = (place.user, conversation.listing)
                    self._asked.setdefault(asked, set()).update(members)

    def _is_foreign(self, person: int | None, author: Author) -> bool:
        """Whether this person has no part in what that one wrote there. What they asked themselves
        and what never began a conversation is nobody else's."""
        members = self._members.get(author[1])
        if members is None:
            members = self._asked.get(author, {author[0]})
        return person not in members or author[0] not in members

    # --- Sockets --------------------------------------------------------------------------------

    def saw_frame(self, seen: Seen) -> None:
        value = seen.value
        key = value.get("conversation")
        if key:
            self._check(seen.who, value["person"], key, value.get("body"), seen.at)
        for body in find_bodies(value.get("fields")):
            self.said.count()
            if any(self._is_foreign(value["person"], author) for author in find_authors(body)):
                told = f"{seen.who} was handed “{short(body)}” by {value['type']}"
                self.said.break_(f"{told} at {seen.at:.3f} s")

    def saw_final(self, seen: Seen) -> None:
        value = seen.value
        for row in value["messages"]:
            self._check(seen.who, value["person"], value["conversation"], row[2], seen.at)

    # --- HTTP -----------------------------------------------------------------------------------

    def ended_pull(self, operation: Operation) -> None:
        if operation.state != "ok":
            self.said.count()
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

    def ended_page(self, operation: Operation) -> None:
        """A thread's. What stands in it `saw_handed` is told of."""
        key, person = operation.asked.get("conversation"), operation.asked["person"]
        if key and operation.state == "ok" and person not in self._members.get(key, ()):
            self.pages.break_(
                f"{operation.who} was served the page of {short(key)} at {operation.ended:.3f} s"
            )

    def saw_handed(self, seen: Seen) -> None:
        """What stood in an answer and was not known to be that person's then."""
        value = seen.value
        for author, place in value["bodies"]:
            if self._is_foreign(value["person"], (author, place)):
                (self.pages if value["page"] else self.answers).break_(
                    f"{value['person']} was handed what {author} wrote in {short(place)} by"
                    f" {value['path']} at {seen.at:.3f} s"
                )

    def saw_looked(self, seen: Seen) -> None:
        """In how many answers, and pages, of the whole run anything stood that somebody wrote."""
        self.answers.count(seen.value["answers"])
        self.pages.count(seen.value["pages"])

    def _check(self, who: str, person: int, key: str, body: str | None, at: float) -> None:
        self.said.count()
        members = self._members.get(key)
        if members is None or person not in members:
            self.said.break_(f"{who} was handed something of {short(key)} at {at:.3f} s")
            return
        author = read_author(body) if body else None
        if author is None:
            return
        if author[0] not in members or author[1] not in (key, self._listings[key]):
            self.said.break_(f"{who} was handed “{short(body)}” as of {short(key)} at {at:.3f} s")

    # --- Mails ----------------------------------------------------------------------------------

    def finish(self) -> None:
        addresses = {address: person for person, address in self.known.final.people.items()}
        for mail in self.known.final.mails:
            person = addresses.get(mail.to)
            for tally, text in (
                (self.mails, f"{mail.headers}\n{mail.text}"),
                (self.mails_as_html, unescape(mail.html)),
            ):
                for author in find_authors(text):
                    tally.count()
                    if self._is_foreign(person, author):
                        about = f"{author[0]} in {short(author[1])}"
                        tally.break_(f"{mail.to} was mailed at {mail.at:.1f} s what {about} wrote")


def find_bodies(told: Any) -> Iterator[str]:
    """Every text in a frame that may hold a message's."""
    if isinstance(told, str):
        if "|" in told:
            yield told
    elif isinstance(told, dict):
        for part in told.values():
            yield from find_bodies(part)
    elif isinstance(told, list):
        for part in told:
            yield from find_bodies(part)
