"""Looks through whatever HTTP answers, the texts of errors and whole pages too, for what other
people wrote to each other."""

from tests.faults.bodies import Author, find_authors
from tests.faults.clients.people import Conversation, Person, Session
from tests.faults.clients.scene import Scene


class Looking:
    """Writes down only what is not known to concern whoever was answered: whether it does is judged
    by what there is in the end."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.people = {person.id: person for person in scene.people}
        self.answers, self.pages = 0, 0

    def look(self, session: Session, path: str, text: str, is_page: bool) -> None:
        """`text`: of an answer to a request in this session. Counted where anything stands in it
        that somebody wrote."""
        found = find_authors(text)
        if found:
            self.answers += not is_page
            self.pages += is_page
        person = self.people.get(session.person)
        known = {author for author in found if person and concerns(person, author)}
        if found > known:
            about = {"person": session.person, "path": path, "page": is_page}
            bodies = sorted(found - known)
            self.scene.history.see(f"{session.person}", "handed", **about, bodies=bodies)

    def tell(self) -> None:
        """How much was looked through."""
        told = {"answers": self.answers, "pages": self.pages}
        self.scene.history.see("campaign", "looked", **told)


def concerns(person: Person, author: Author) -> bool:
    return any(belongs(conversation, author) for conversation in person.conversations)


def belongs(conversation: Conversation, author: Author) -> bool:
    """Whether that was said there: by one of the two, and by its buyer what began it."""
    who, place = author
    if place == conversation.listing:
        return who == conversation.buyer.id
    return place == conversation.id and who in (conversation.buyer.id, conversation.seller.id)
